#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A real Blender 5.2 with a window on a Debian or Ubuntu machine without a screen or a GPU: the
# package of Debian's newest suite in a chroot of its own, under Xvfb, drawn by Mesa's llvmpipe.
#
#   blender.sh setup                    install it: about 2 minutes, 1.4 GB; does nothing if it is there
#   blender.sh run [OPTIONS] -- ARGS    blender ARGS (with Xvfb, unless ARGS has -b or --command)
#   blender.sh exec [OPTIONS] -- CMD    any command inside
#   blender.sh version                  the version that is installed
#
# OPTIONS: --size WxH     screen and window (1600x1000)
#          --home DIR     HOME, and so Blender's preferences and extensions
#          --timeout SEC  end it after SEC seconds, with exit status 124
# Environment: GUI_BLENDER_CACHE, where it is installed (~/.cache/gui-blender)
#              GUI_BLENDER_MIRROR, the Debian mirror (that of this machine's apt)
#
# /tmp, the current directory and the work tree are inside at the same path. "host-run CMD" inside
# runs a command with the files and libraries of the machine outside: the engine's Python does.
# Needs root. The mounts and processes belong to namespaces that end with the command; the one
# thing that is installed outside the cache is debootstrap.
set -euo pipefail

PACKAGES="blender python3-numpy python3-cattr python3-requests python3-zstandard
  xvfb x11-utils xdotool imagemagick fonts-dejavu-core
  libgl1 libegl1 libgl1-mesa-dri libegl-mesa0 libglx-mesa0"
SUITE=sid
READY=.ready-1    # raise the number to have the chroot made anew

say() { echo "blender.sh: $*" >&2; }
die() { say "$*"; exit 1; }

# enter CWD BIND... -- COMMAND...   in mount and pid namespaces that end with the command
enter() {
  local cwd=$1 binds=()
  shift
  while [ "$1" != -- ]; do binds+=("$1"); shift; done
  shift
  exec unshare --mount --propagation private --pid --fork --kill-child -- bash -c '
    set -e
    root=$1 cwd=$2 count=$3
    shift 3
    mkdir -p "$root/host"
    mount --rbind / "$root/host"
    mount -t proc proc "$root/proc"
    mount -t proc proc "$root/host/proc"
    mount --rbind /dev "$root/dev"
    mount --rbind /sys "$root/sys" 2>/dev/null || true
    while [ "$count" -gt 0 ]; do
      mkdir -p "$root$1"
      mount --rbind "$1" "$root$1"
      shift
      count=$((count - 1))
    done
    # No exec: this bash is process 1 of the namespace and ends what the command leaves behind.
    trap "exit 143" TERM INT HUP
    chroot "$root" /bin/sh -c "cd \"\$0\" && exec \"\$@\"" "$cwd" "$@" <&0 &
    wait $! && status=0 || status=$?
    exit $status' blender.sh "$ROOT" "$cwd" "${#binds[@]}" "${binds[@]}" "$@"
}

debian_mirror() {    # the mirror that this machine's apt uses
  apt-get indextargets --format '$(LABEL)|$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    awk -F'|' '$1 == "Debian" { print $2; exit }'
}

host_packages() {
  apt-get install -y -qq --no-install-recommends "$@" >&2 2>/dev/null ||
    { apt-get update -qq >&2 && apt-get install -y -qq --no-install-recommends "$@" >&2; }
}

build() {    # make the chroot, whole or not at all
  local final=$ROOT mirror log=$CACHE/$SUITE.log began=$SECONDS
  local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  command -v apt-get >/dev/null || die "needs a machine with apt"
  mirror=${GUI_BLENDER_MIRROR:-$(debian_mirror)}
  if [ -z "$mirror" ]; then
    apt-get update -qq >&2
    mirror=$(debian_mirror)
  fi
  [ -n "$mirror" ] || die "apt has no Debian mirror here; name one with GUI_BLENDER_MIRROR"
  command -v debootstrap >/dev/null || host_packages debootstrap
  [ -e $keyring ] || host_packages debian-archive-keyring
  ROOT=$final.new
  rm -rf --one-file-system "$ROOT"
  say "$SUITE: base system"
  # debootstrap mounts /proc in the new root and would leave it there if it were interrupted.
  unshare --mount --propagation private -- debootstrap --variant=minbase --keyring=$keyring \
    $SUITE "$ROOT" "$mirror" /usr/share/debootstrap/scripts/sid >"$log" 2>&1 ||
    { tail -n 5 "$log" >&2; return 1; }
  printf '#!/bin/sh\nexit 101\n' >"$ROOT/usr/sbin/policy-rc.d"
  chmod +x "$ROOT/usr/sbin/policy-rc.d"
  printf 'force-unsafe-io\npath-exclude=/usr/share/doc/*\npath-exclude=/usr/share/man/*\n' \
    >"$ROOT/etc/dpkg/dpkg.cfg.d/small"
  # Proxies and date checks as apt has them here; signatures are always checked.
  {
    apt-config dump | grep -E '^Acquire::(https?::Proxy|Check-Valid-Until|Check-Date|Retries)' || true
    echo 'APT::Install-Recommends "false";'
    echo 'Acquire::Languages "none";'
  } >"$ROOT/etc/apt/apt.conf.d/90paintover"
  case $mirror in https:*)
    mkdir -p "$ROOT/etc/ssl/certs"
    cp -L /etc/ssl/certs/ca-certificates.crt "$ROOT/etc/ssl/certs/" ;;
  esac
  cp -L /etc/resolv.conf /etc/hosts "$ROOT/etc/" 2>/dev/null || true
  ln -sf /proc/self/mounts "$ROOT/etc/mtab"    # Blender lists the mounted file systems
  say "$SUITE: packages"
  (enter / -- env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
    DEBIAN_FRONTEND=noninteractive sh -ec "apt-get -q update
      apt-get -q -y install $(echo $PACKAGES)
      apt-get clean
      rm -rf /var/lib/apt/lists/*") </dev/null >>"$log" 2>&1 || { tail -n 8 "$log" >&2; return 1; }
  (enter / -- env -i PATH=/usr/bin:/bin HOME=/tmp LC_ALL=C.UTF-8 blender -b --factory-startup \
    --python-exit-code 9 --python-expr \
    'import bpy, numpy; print("VERSION", bpy.app.version_string)') </dev/null >"$CACHE/check" 2>&1 ||
    { cat "$CACHE/check" >&2; return 1; }
  sed -n 's/^VERSION //p' "$CACHE/check" >"$ROOT/$READY"
  rm -rf --one-file-system "$final"
  mv "$ROOT" "$final"
  ROOT=$final
  say "Blender $(cat "$ROOT/$READY") in $ROOT, $((SECONDS - began)) s"
}

setup() {
  [ -e "$ROOT/$READY" ] && return 0
  (
    flock 9    # of two at once the second waits and finds it done
    [ -e "$ROOT/$READY" ] || build || { rm -rf --one-file-system "$CACHE/$SUITE.new"; exit 1; }
  ) 9>"$CACHE/.lock"
}

# What runs inside: Xvfb around the command, and the way out to the host.
write_inner_scripts() {
  cat >"$ROOT/usr/local/bin/gui-run" <<'INNER'
#!/bin/bash
# gui-run RUNDIR DISPLAY|none SIZE TIMEOUT COMMAND...
run=$1 display=$2 size=$3 limit=$4
shift 4
export XDG_RUNTIME_DIR=$run
server= child=
finish() {
  [ -n "$child" ] && kill "$child" 2>/dev/null
  [ -n "$server" ] && { kill "$server" 2>/dev/null; wait "$server" 2>/dev/null; }
}
trap 'finish; exit 143' TERM INT HUP
if [ "$display" != none ]; then
  Xvfb ":$display" -displayfd 3 -screen 0 "${size}x24" -noreset -nolisten tcp +extension GLX \
    3>"$run/display" >"$run/xvfb.log" 2>&1 &
  server=$!
  for _ in $(seq 400); do
    [ -s "$run/display" ] && break
    kill -0 $server 2>/dev/null || break
    sleep 0.05
  done
  [ -s "$run/display" ] ||
    { echo "gui-run: Xvfb did not start" >&2; cat "$run/xvfb.log" >&2; finish; exit 1; }
  export DISPLAY=:$display
fi
timeout -k 5 "$limit" "$@" <&0 &
child=$!
wait $child
status=$?
child=
finish
exit $status
INNER
  cat >"$ROOT/usr/local/bin/host-run" <<'INNER'
#!/bin/sh
# host-run CMD...: run CMD with the root file system outside, in the same directory
exec chroot /host /bin/sh -c 'cd "$0" 2>/dev/null; exec "$@"' "$PWD" "$@"
INNER
  chmod +x "$ROOT/usr/local/bin/gui-run" "$ROOT/usr/local/bin/host-run"
}

# A number that no X server of this machine has. Not Xvfb's own choice: its lock file holds a pid
# of another namespace, so a second run would take the first one's lock for a stale one.
pick_display() {
  local n
  for n in $(seq $((200 + $$ % 300)) 999); do
    [ -e "/tmp/.X11-unix/X$n" ] || [ -e "/tmp/.X$n-lock" ] && continue
    mkdir "/tmp/.paintover-X$n" 2>/dev/null && { echo "$n"; return 0; }
  done
  return 1
}

NAMESPACE='' RUN='' DISPLAY_NUMBER=''
cleanup() {
  [ -n "$NAMESPACE" ] && kill -KILL "$NAMESPACE" 2>/dev/null
  [ -n "$RUN" ] && rm -rf --one-file-system "$RUN"
  if [ -n "$DISPLAY_NUMBER" ]; then
    rm -f "/tmp/.X$DISPLAY_NUMBER-lock" "/tmp/.X11-unix/X$DISPLAY_NUMBER"
    rmdir "/tmp/.paintover-X$DISPLAY_NUMBER" 2>/dev/null
  fi
  NAMESPACE='' RUN='' DISPLAY_NUMBER=''
}

go() {
  local size=1600x1000 limit=600 with_x=yes home=$CACHE/home binds extra=() cwd top status=0 argument
  while [ $# -gt 0 ]; do
    case $1 in
      --size) size=$2; shift 2 ;;
      --home) home=$2; shift 2 ;;
      --timeout) limit=$2; shift 2 ;;
      --) shift; break ;;
      *) die "unknown option $1" ;;
    esac
  done
  [ $# -gt 0 ] || die "nothing to run"
  setup || die "set-up failed"
  write_inner_scripts
  if [ "$VERB" = run ]; then
    for argument in "$@"; do
      case $argument in
        --) break ;;
        -b | --background | -c | --command | -v | --version) with_x=no ;;
      esac
    done
    # There is no window manager that would make the window as large as the screen.
    [ $with_x = no ] || extra=(--window-geometry 0 0 "${size%x*}" "${size#*x}")
    set -- blender "${extra[@]}" "$@"
  else
    with_x=no
  fi
  trap cleanup EXIT
  trap 'exit 143' TERM INT HUP
  RUN=$(mktemp -d /tmp/gui-run.XXXXXX)
  [ $with_x = no ] || DISPLAY_NUMBER=$(pick_display) || die "no free display number"
  mkdir -p "$home" "$CACHE/shaders"
  home=$(cd "$home" && pwd -P)
  cwd=$(pwd -P)
  binds=(/tmp "$CACHE/shaders" "$home")
  top=$(git rev-parse --show-toplevel 2>/dev/null || true)
  for argument in "$cwd" ${top:+"$top"}; do
    case $argument in
      / | /usr | /usr/* | /etc | /etc/* | /bin | /sbin | /lib* | /var | /proc* | /dev* | /sys*) ;;
      *) binds+=("$argument") ;;
    esac
  done
  (enter "$cwd" "${binds[@]}" -- \
    env -u DISPLAY -u WAYLAND_DISPLAY -u XAUTHORITY -u DBUS_SESSION_BUS_ADDRESS -u SESSION_MANAGER \
    -u LD_LIBRARY_PATH -u LD_PRELOAD -u PYTHONHOME -u PYTHONPATH -u VIRTUAL_ENV \
    -u XDG_CONFIG_HOME -u XDG_CACHE_HOME -u XDG_DATA_HOME \
    PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin HOME="$home" LC_ALL=C.UTF-8 TMPDIR=/tmp \
    LIBGL_ALWAYS_SOFTWARE=1 GALLIUM_DRIVER=llvmpipe MESA_SHADER_CACHE_DIR="$CACHE/shaders" \
    NO_AT_BRIDGE=1 \
    gui-run "$RUN" "${DISPLAY_NUMBER:-none}" "$size" "$limit" "$@") <&0 &
  NAMESPACE=$!
  wait "$NAMESPACE" || status=$?
  NAMESPACE=''
  exit "$status"
}

[ "$(id -u)" = 0 ] || die "needs root, for a chroot"
CACHE=${GUI_BLENDER_CACHE:-${HOME:-/root}/.cache/gui-blender}
mkdir -p "$CACHE"
CACHE=$(cd "$CACHE" && pwd -P)
ROOT=$CACHE/$SUITE
VERB=${1:-setup}
[ $# -gt 0 ] && shift
case $VERB in
  setup) setup || die "set-up failed" ;;
  run | exec) go "$@" ;;
  version) cat "$ROOT/$READY" ;;
  *) die "unknown verb $VERB" ;;
esac
