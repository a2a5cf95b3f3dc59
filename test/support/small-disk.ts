import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A file system of its own, as small as is said, in memory: what is full there is really full. */
export class SmallDisk {
  readonly path: string
  readonly #ballast: string

  private constructor(path: string) {
    this.path = path
    this.#ballast = join(path, 'ballast')
  }

  /** @throws Error where this process may not mount one */
  static mount(mebibytes: number): SmallDisk {
    const path = mkdtempSync(join(tmpdir(), 'tokenscope-disk-'))
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=0700`, 'none', path], {
        stdio: 'pipe',
      })
    } catch (error) {
      rmdirSync(path)
      throw error
    }
    return new SmallDisk(path)
  }

  /** Whether this process may mount one. */
  static get isPossible(): boolean {
    try {
      SmallDisk.mount(1).unmount()
      return true
    } catch {
      return false
    }
  }

  /** Takes all room that is left. */
  fill(): void {
    const { bsize, bavail } = statfsSync(this.path)
    try {
      // Others may write meanwhile; so a page more than there was.
      writeFileSync(this.#ballast, Buffer.alloc(bsize * (bavail + 1)))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
  }

  /** Gives that room back. */
  free(): void {
    rmSync(this.#ballast, { force: true })
  }

  /** Lets nobody write to it any more. */
  lock(): void {
    execFileSync('mount', ['-o', 'remount,ro', this.path], { stdio: 'pipe' })
  }

  unmount(): void {
    execFileSync('umount', [this.path], { stdio: 'pipe' })
    rmdirSync(this.path)
  }
}
