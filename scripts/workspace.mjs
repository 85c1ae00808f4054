/** Owns what the scripts share: running a program in the project folder, and telling what is missing or stale. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project folder. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

const STAMP = join(ROOT, 'dist', '.built');

/**
 * Runs a program with its output shown, passing SIGINT and SIGTERM on, and answers with its exit code (128 and the
 * number of the signal when one ended it).
 *
 * @param {string} program
 * @param {readonly string[]} args
 * @returns {Promise<number>}
 */
export function run(program, args) {
  // npm is a script on Windows, which only a shell starts.
  const shell = process.platform === 'win32' && program === 'npm';
  const child = spawn(program, args, { cwd: ROOT, stdio: 'inherit', shell });
  // From a terminal the child got SIGINT itself; a second one would end it before it has drained.
  const onInterrupt = () => process.stdin.isTTY || child.kill('SIGINT');
  const onTerminate = () => child.kill('SIGTERM');
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onTerminate);
  return new Promise((resolve) => {
    const done = (code) => {
      process.off('SIGINT', onInterrupt);
      process.off('SIGTERM', onTerminate);
      resolve(code);
    };
    child.on('error', (error) => {
      console.error(`${program} could not be started: ${error.message}`);
      done(1);
    });
    child.on('exit', (code, signal) => done(code ?? (signal === 'SIGINT' ? 130 : 143)));
  });
}

/** Runs a Node.js tool of a dependency by its file, which needs no shell and no PATH. */
export function runTool(file, args = []) {
  return run(process.execPath, [join(ROOT, 'node_modules', file), ...args]);
}

/** Installs the dependencies unless they are there and as new as the lockfile. Answers with an exit code. */
export async function install() {
  if (changedAt('node_modules/.package-lock.json') >= changedAt('package-lock.json')) return 0;
  console.log('installing the dependencies (npm ci)');
  return run('npm', ['ci', '--no-audit', '--no-fund']);
}

/** Builds dist/ unless it is newer than every source. Answers with an exit code. */
export async function build({ force = false } = {}) {
  const sources = Math.max(newest(join(ROOT, 'src')), newest(join(ROOT, 'docs', 'statecharts')));
  const settings = ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'scripts/dashboard.mjs'].map(changedAt);
  if (!force && changedAt('dist/.built') > Math.max(sources, ...settings)) return 0;
  console.log('building (tsc, and the dashboard)');
  // A module that was removed from src/ must not live on in dist/.
  rmSync(join(ROOT, 'dist'), { recursive: true, force: true });
  const code = await runTool('typescript/bin/tsc', ['-p', 'tsconfig.build.json']);
  if (code !== 0) return code;
  // Loaded when it is needed: where the dependencies are still to be installed there is no bundler.
  const { buildDashboard } = await import('./dashboard.mjs');
  try {
    await buildDashboard();
  } catch (error) {
    console.error(`the dashboard could not be built: ${error.message}`);
    return 1;
  }
  writeFileSync(STAMP, '');
  return 0;
}

function changedAt(path) {
  try {
    return statSync(join(ROOT, path)).mtimeMs;
  } catch {
    return 0;
  }
}

function newest(folder) {
  const times = readdirSync(folder, { recursive: true }).map((name) => statSync(join(folder, String(name))).mtimeMs);
  return Math.max(0, ...times);
}

/** Reads a JSON file, or answers undefined. */
export function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
