/** Small things that this browser remembers. A browser that refuses to remember is fine too. */
const PREFIX = 'tokenscope.'

/** What was remembered under `name`. */
export function readSetting(name: string): string | null {
  try {
    return localStorage.getItem(PREFIX + name)
  } catch {
    return null
  }
}

/** Remembers `value` under `name`. */
export function writeSetting(name: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + name, value)
  } catch {
    // Private windows and full disks: it is asked again next time.
  }
}
