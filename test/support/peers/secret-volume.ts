import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A directory like that of a Secret which Kubernetes mounts: files are links through `..data`, which moves at a change. */
export class SecretVolume {
  readonly #directory = mkdtempSync(join(tmpdir(), 'secret-'));
  #version = 0;

  constructor(files: Readonly<Record<string, string>>) {
    this.replace(files);
    for (const name of Object.keys(files)) symlinkSync(join('..data', name), this.path(name));
  }

  path(name: string): string {
    return join(this.#directory, name);
  }

  /** All files at once. */
  replace(files: Readonly<Record<string, string>>): void {
    const version = `..v${++this.#version}`;
    mkdirSync(this.path(version));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(this.path(version), name), text);
    symlinkSync(version, this.path('..data_tmp'));
    renameSync(this.path('..data_tmp'), this.path('..data'));
    if (this.#version > 1) rmSync(this.path(`..v${this.#version - 1}`), { recursive: true });
  }

  close(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
