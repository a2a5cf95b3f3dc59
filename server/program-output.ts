import { writeFile } from 'node:fs/promises'
import { reasonOf, TokenscopeError } from '../events/errors.ts'

/**
 * Writes what a program has to give, to the last byte: to a file if one is named, else to standard output, however slowly that
 * is read. That nobody reads it any more (`| head`) is no fault.
 *
 * @param file path; null for standard output
 * @throws TokenscopeError CONFIG if the file cannot be written
 */
export async function writeOutput(file: string | null, text: string): Promise<void> {
  if (file === null) {
    await new Promise<void>(resolve => {
      process.stdout.write(text, () => resolve())
    })
    return
  }
  try {
    await writeFile(file, text)
  } catch (error) {
    throw new TokenscopeError('CONFIG', `${file} cannot be written: ${reasonOf(error)}`, {
      param: '--output',
    })
  }
}

/** Whether a person looks at standard output, and how many columns that has. */
export function screenOf(output: NodeJS.WriteStream): { isScreen: boolean; width: number } {
  const isScreen = output.isTTY === true
  // One that does not know says 0.
  return { isScreen, width: (isScreen && output.columns) || 80 }
}
