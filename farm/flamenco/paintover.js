// SPDX-License-Identifier: GPL-3.0-or-later
// Paintover's job type for Flamenco 3.8 and later; docs/farm.md explains it. Put it into the folder
// "scripts" beside flamenco-manager. Every task does only what is missing, so tasks that failed, or
// a whole job, are simply run again.

const JOB_TYPE = {
    label: "Paintover",
    description: "Capture a shot, learn its painted keyframes, and paint every frame",
    settings: [
        { key: "shot_folder", type: "string", subtype: "dir_path", required: true,
          eval: "str(abspath(C.scene.paintover.folder))",
          evalInfo: { showLinkButton: true, description: "the scene's shot folder" },
          description: "The shot folder, on storage that all workers see at the same path" },
        { key: "frames", type: "string", required: true,
          eval: "f'{C.scene.frame_start}-{C.scene.frame_end}'",
          evalInfo: { showLinkButton: true, description: "the scene's frame range" },
          description: "Frames, such as 1-30, 45" },
        { key: "chunk_size", type: "int32", default: 10, visible: "submission",
          propargs: { min: 1, max: 1000 },
          description: "Frames that one task captures or composes" },
        { key: "painted_chunk_size", type: "int32", default: 24, visible: "submission",
          propargs: { min: 1, max: 1000 },
          description: "Frames that one task paints; each first loads the style" },
        { key: "style", type: "string", default: "style", eval: "C.scene.paintover.style",
          description: "Name of the style to train and to paint with" },
        { key: "seconds", type: "float", default: 60, eval: "C.scene.paintover.seconds",
          description: "How long the training takes, in seconds" },
        { key: "steps", type: "string", default: "all", choices: ["all", "paint", "capture"],
          description: "all, paint (captured already), or capture alone" },
        { key: "output_folder", type: "string", subtype: "dir_path", visible: "submission",
          description: "Folder of the composed frames and the movie; empty: in the shot folder" },

        { key: "blendfile", type: "string", required: true, visible: "web",
          description: "The .blend that is captured and composed" },
        { key: "scene", type: "string", eval: "C.scene.name_full", visible: "web" },
        { key: "fps", type: "float", eval: "C.scene.render.fps / C.scene.render.fps_base",
          visible: "hidden" },
        { key: "image_file_extension", type: "string", default: ".png",
          eval: "'.png' if C.scene.render.is_movie_format else C.scene.render.file_extension",
          visible: "hidden" },
        { key: "light", type: "float", default: 0.5, eval: "C.scene.paintover.light",
          visible: "web" },
        { key: "unpainted", type: "string", default: "frame",
          eval: "C.scene.paintover.unpainted", visible: "web" },
        { key: "format", type: "string", default: "png", eval: "C.scene.paintover.format",
          visible: "web" },
        { key: "depth", type: "string", default: "8", eval: "C.scene.paintover.depth",
          visible: "web" },
        { key: "device", type: "string", default: "auto", eval: "C.scene.paintover.device",
          visible: "web" },

        { key: "addon", type: "string", default: "paintover", visible: "web",
          description: "Name of the add-on in the workers' Blender" },
        { key: "engine_python", type: "string", default: "{paintover_python}", visible: "web",
          description: "Python with PyTorch on the workers, or a variable of the Manager" },
        { key: "engine_folder", type: "string", default: "{paintover_engine}", visible: "web",
          description: "Paintover's folder engine there, or a variable of the Manager" },
    ],
};

// Workers are chosen by these; add them to the workers' task_types.
const TRAIN = "paintover-train";
const PAINT = "paintover";

function compileJob(job) {
    const settings = job.settings;
    checkFolder("shot folder", settings.shot_folder);
    if (!settings.output_folder) {
        settings.output_folder = path.join(settings.shot_folder, "composed", settings.style);
    }
    checkFolder("output folder", settings.output_folder);
    checkNoShare(".blend", settings.blendfile);
    checkNoShare("engine's Python", settings.engine_python);
    checkNoShare("engine's folder", settings.engine_folder);
    if (/(^|[,\s.-])-\s*[0-9]/.test(settings.frames)) {
        throw `Flamenco knows no frames below 0, such as in "${settings.frames}"; leave them out.`;
    }
    const chunks = frameChunker(settings.frames, settings.chunk_size);
    const painted = frameChunker(settings.frames, settings.painted_chunk_size);

    let last = [];
    if (settings.steps !== "paint") {
        last = addTasks(job, chunks.map((chunk) => captureTask(settings, chunk)), []);
    }
    if (settings.steps === "capture") {
        return;
    }
    last = addTasks(job, [trainTask(settings)], last);
    last = addTasks(job, painted.map((chunk) => stylizeTask(settings, chunk)), last);
    last = addTasks(job, chunks.map((chunk) => composeTask(settings, chunk)), last);
    if (settings.fps) {
        addTasks(job, [movieTask(settings)], last);
    }
}

// Network names such as \\server\share work neither in Blender's arguments nor in Flamenco.
function checkNoShare(what, place) {
    if (/^[\\/]{2}/.test(place)) {
        throw `The ${what} ${place} is a network name (UNC); give the share a drive letter, or ` +
            "mount it, and choose it there.";
    }
}

function checkFolder(what, folder) {
    checkNoShare(what, folder);
    if (!/^(\/|[A-Za-z]:|\{)/.test(folder)) {
        throw `The ${what} ${folder} is not a whole path; choose one that all workers see.`;
    }
}

function addTasks(job, tasks, after) {
    for (const task of tasks) {
        for (const earlier of after) {
            task.addDependency(earlier);
        }
        job.addTask(task);
    }
    return tasks;
}

function captureTask(settings, chunk) {
    return blenderTask(settings, `capture-${chunk}`, chunk, [
        "capture",
        `--frames=${chunk}`,
    ]);
}

function composeTask(settings, chunk) {
    return blenderTask(settings, `compose-${chunk}`, chunk, [
        "compose",
        `--style=${settings.style}`,
        `--render=${settings.output_folder}`,
        `--frames=${chunk}`,
    ]);
}

function blenderTask(settings, name, chunk, words) {
    const task = author.Task(name, "blender");
    const which = settings.scene ? [`--scene=${settings.scene}`] : [];
    const command = author.Command("blender-render", {
        exe: "{blender}",
        exeArgs: "{blenderArgs}",
        argsBefore: ["--addons", settings.addon],
        blendfile: settings.blendfile,
        args: ["--command", "paintover"].concat(words, which, [`--folder=${settings.shot_folder}`]),
    }, stepsOf(chunk));
    task.addCommand(command);
    return task;
}

function trainTask(settings) {
    return engineTask(settings, "train", TRAIN, 1, [
        "train",
        settings.shot_folder,
        `--style=${settings.style}`,
        `--seconds=${settings.seconds}`,
        `--device=${settings.device}`,
        "--if-needed",
    ]);
}

function stylizeTask(settings, chunk) {
    return engineTask(settings, `stylize-${chunk}`, PAINT, stepsOf(chunk), [
        "stylize",
        settings.shot_folder,
        `--style=${settings.style}`,
        `--frames=${chunk}`,
        `--light=${settings.light}`,
        `--unpainted=${settings.unpainted}`,
        `--format=${settings.format}`,
        `--depth=${settings.depth}`,
        `--device=${settings.device}`,
        "--on-farm",
    ]);
}

function engineTask(settings, name, type, steps, words) {
    const task = author.Task(name, type);
    const command = author.Command("exec", {
        exe: settings.engine_python,
        args: [settings.engine_folder].concat(words, ["--progress=plain"]),
    }, steps);
    task.addCommand(command);
    return task;
}

function movieTask(settings) {
    const task = author.Task("movie", "ffmpeg");
    const isLinear = settings.image_file_extension === ".exr";
    const command = author.Command("frames-to-video", {
        exe: "ffmpeg",
        fps: settings.fps,
        argsBefore: isLinear ? ["-apply_trc", "iec61966_2_1"] : [],
        inputGlob: path.join(
            withoutPatterns(settings.output_folder), `*${settings.image_file_extension}`),
        outputFile: path.join(settings.output_folder, `${settings.style}.mp4`),
        args: [
            "-c:v", "libx264",
            "-crf", "16",
            "-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2",
            "-pix_fmt", "yuv420p",
            "-y",
        ],
    });
    task.addCommand(command);
    return task;
}

// In a folder such as "shot [v2]", the brackets are no pattern.
function withoutPatterns(folder) {
    return folder.replace(/[[*?]/g, "[$&]");
}

function stepsOf(chunk) {
    return frameChunker(chunk, 1).length;
}
