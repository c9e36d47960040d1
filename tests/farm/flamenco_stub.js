// SPDX-License-Identifier: GPL-3.0-or-later
// Flamenco's documented interface for job types: compiles a job from the standard input, and prints
// its tasks, or what was thrown.
"use strict";

const fs = require("fs");
const vm = require("vm");

class Task {
    constructor(name, type) {
        if (!name.trim() || !type.trim()) throw new Error("author.Task(name, type) needs both");
        Object.assign(this, { name, type, commands: [], dependencies: [] });
    }
    addCommand(command) { this.commands.push(command); }
    addDependency(task) {
        if (!(task instanceof Task)) throw new Error("addDependency(task) needs a task");
        this.dependencies.push(task);
    }
}

const author = {
    Task: (name, type) => new Task(name, type),
    Command: (name, parameters, totalStepCount) => ({
        name, parameters, totalStepCount: totalStepCount || 0,
    }),
};

function explode(range) {
    const frames = new Set();
    for (const part of range.replaceAll("..", "-").split(",")) {
        const ends = part.split("-").map((end) => {
            if (!/^\s*\d+\s*$/.test(end)) throw new Error(`invalid range "${range}": ${part}`);
            return parseInt(end, 10);
        });
        if (ends.length > 2) throw new Error(`invalid range "${range}": ${part}`);
        for (let frame = ends[0]; frame <= ends[ends.length - 1]; frame++) frames.add(frame);
    }
    return [...frames].sort((a, b) => a - b);
}

function merge(frames) {
    const runs = [];
    for (const frame of frames) {
        const run = runs[runs.length - 1];
        if (run && run[1] === frame - 1) run[1] = frame;
        else runs.push([frame, frame]);
    }
    const text = ([a, b]) => (a === b ? `${a}` : b === a + 1 ? `${a},${b}` : `${a}-${b}`);
    return runs.map(text).join(",");
}

function frameChunker(range, size) {
    const frames = explode(range);
    const chunks = [];
    for (let i = 0; i < frames.length; i += size) chunks.push(merge(frames.slice(i, i + size)));
    return chunks;
}

const { script, settings } = JSON.parse(fs.readFileSync(0, "utf-8"));
const quiet = () => undefined;
const context = vm.createContext({
    author, frameChunker, print: quiet, alert: quiet,
    path: {
        join: (...parts) => parts.join("/").replace(/([^:])\/+/g, "$1/"),
        dirname: (name) => name.replace(/\/[^/]*$/, ""),
        basename: (name) => name.replace(/^.*\//, ""),
        stem: (name) => name.replace(/^.*\//, "").replace(/\.[^.]*$/, ""),
    },
    formatTimestampLocal: () => "2026-11-28_100000",
});
const told = vm.runInContext(`${fs.readFileSync(script, "utf-8")}\n;JOB_TYPE`, context);
const all = {};
for (const setting of told.settings) {
    if ("default" in setting) all[setting.key] = setting.default;
}
const tasks = [];
const job = { name: "test", created: new Date(0), settings: { ...all, ...settings },
    addTask: (task) => tasks.push(task) };
context.job = job;
try {
    vm.runInContext("compileJob(job)", context);
} catch (error) {
    console.log(JSON.stringify({ type: told, thrown: String(error.message || error) }));
    process.exit(0);
}
console.log(JSON.stringify({
    type: told,
    tasks: tasks.map((task) => ({
        ...task,
        dependencies: task.dependencies.map((earlier) => tasks.indexOf(earlier)),
    })),
}));
