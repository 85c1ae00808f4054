#!/usr/bin/env node
/** Owns the process of the command line: its arguments, streams and exit code. Refuses everything else. */
import { runCli } from './run-cli.js';

// A closed pipe (`tidegate schema | head`) is no reason to crash, least of all while connections are being served.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

const code = await runCli(process.argv.slice(2), process);
process.exitCode = code;
// 128 and more: a second signal asked to end without waiting for what is still open.
if (code >= 128) process.exit();
