/** The source files of a folder. */
import type { Dirent } from 'node:fs'
import { resolve } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { reasonOf, TokenscopeError } from '../../../events/errors.ts'
import type { ScanWarning, SourceFile, SourceTree } from '../source-tree.ts'
import { type Disk, LOCAL_DISK, systemCode } from './disk.ts'
import { IgnoreRules } from './ignore-rules.ts'
import { isManifest } from './manifests.ts'
import {
  isForeignFolder,
  isGeneratedName,
  isTestFolder,
  isTestName,
  isToolFolder,
  languageOf,
} from './names.ts'
import { byCodeUnit } from './order.ts'
import { excludedBy, type PasConfig } from './pas-config.ts'
import { policyOf } from './policy.ts'
import { repositoryAround, repositoryAt } from './repository.ts'
import { packagesOf } from './workspaces.ts'

export interface ScanOptions {
  /** Whether tests are scored, too. */
  tests: boolean
  /** What `pas.config.json` says; null: there is none. */
  config: PasConfig | null
  /** Told now and then of the files that were found since the last time: each once, in no order. */
  onFound?(files: readonly SourceFile[]): void
  /** Told every folder that is looked through, from the root; `''` is the root itself. */
  onFolder?(folder: string): void
}

/** A scan gives way to whatever else waits after so long, in milliseconds. */
const TURN_MS = 8
/** After how many things in one folder it looks whether that time is over. */
const TURN_STEPS = 128
/** Rules of more than so many files on one way down are not read: only a tree made to be slow has them. */
const MAX_RULE_FILES = 64
const MAX_RULE_BYTES = 1024 * 1024

/**
 * The source files below a folder, by path, and the packages that its manifests tell.
 *
 * Left out are: what git ignores by `.gitignore` files and `.git/info/exclude` (those above the folder count up to the top of
 * its repository; a user's own global file does not, since a score must not depend on the machine); names that begin with a
 * dot; dependencies, what builds left and generated files, as far as names tell (`isForeignFolder`, `isToolFolder`,
 * `isGeneratedName`); other git repositories inside of the one that the folder is in; what the config excludes; tests, unless
 * they are asked for; and links: those to a file of the tree would count it twice, and one that leads to a folder above itself is
 * named in a warning. What is in the way of a scan (a folder that cannot be read, a path longer than the system takes, a file
 * that vanishes) costs a warning, never the scan.
 *
 * Depth costs no stack. It blocks for at most about 8 ms at a time.
 *
 * @throws TokenscopeError CONFIG if the folder is not there, or is none
 */
export async function scanTree(
  root: string,
  options: ScanOptions,
  disk: Disk = LOCAL_DISK,
): Promise<SourceTree> {
  const scan = new Scan(resolve(root), options, disk)
  return await scan.run()
}

class Scan {
  readonly #root: string
  readonly #realRoot: string
  readonly #disk: Disk
  readonly #tests: boolean
  readonly #excluded: ReturnType<typeof excludedBy>
  readonly #onFound: (files: readonly SourceFile[]) => void
  readonly #onFolder: (folder: string) => void
  readonly #files: SourceFile[] = []
  /** How many of them were told of. */
  #told = 0
  readonly #manifests: string[] = []
  readonly #warnings: ScanWarning[] = []
  /** Folders to be read yet, with the rules that count in them. */
  readonly #waiting: { folder: string; rules: IgnoreRules }[] = []
  #isInRepository = false
  #turnEnds = performance.now() + TURN_MS

  constructor(root: string, options: ScanOptions, disk: Disk) {
    this.#root = root
    this.#disk = disk
    this.#realRoot = realFolder(root, disk)
    this.#tests = policyOf(options).tests
    this.#excluded = excludedBy(options.config)
    this.#onFound = files => options.onFound?.(files)
    this.#onFolder = folder => options.onFolder?.(folder)
  }

  async run(): Promise<SourceTree> {
    this.#waiting.push({ folder: '', rules: this.#rulesAbove() })
    for (let next = this.#waiting.pop(); next !== undefined; next = this.#waiting.pop()) {
      await this.#readFolder(next.folder, next.rules)
      if (this.#isDue()) await this.#giveWay()
    }
    this.#tell()
    const packages = packagesOf(
      this.#manifests.sort(byCodeUnit),
      path => this.#readText(path),
      warning => this.#warnings.push(warning),
    )
    if (this.#files.length === 0)
      this.#warn('NO_SOURCES', null, 'There is no source file in a language that is known here.')
    this.#warnings.sort((a, b) => byCodeUnit(a.path ?? '', b.path ?? '') || byCodeUnit(a.code, b.code))
    return {
      root: this.#root,
      files: this.#files.sort((a, b) => byCodeUnit(a.path, b.path)),
      packages,
      warnings: this.#warnings,
    }
  }

  /** The rules of the repository that the root is in, down to the folder above it. */
  #rulesAbove(): IgnoreRules {
    const repository = repositoryAround(this.#realRoot, this.#disk)
    if (repository === null) return IgnoreRules.NONE
    this.#isInRepository = true
    const { top, exclude } = repository
    const way = this.#realRoot.slice(top.length).split(/[\\/]/).filter(Boolean)
    const withFile = (rules: IgnoreRules, at: number, file: string) => {
      const text = this.#ruleText(file, null)
      if (text === null) return rules
      return at === way.length ? rules.withFile('', text) : rules.withFileAbove(way.slice(at).join('/'), text)
    }
    let rules = withFile(IgnoreRules.NONE, 0, exclude)
    for (const at of way.keys())
      rules = withFile(rules, at, [top.replace(/[\\/]$/, ''), ...way.slice(0, at), '.gitignore'].join('/'))
    return rules
  }

  async #readFolder(folder: string, above: IgnoreRules): Promise<void> {
    const entries = this.#list(folder)
    if (entries === null) return
    const names = new Set<string>()
    for (const { name } of entries) names.add(name)
    if (folder !== '' && isToolFolder(names)) return
    this.#onFolder(folder)
    let rules = above
    if (folder !== '' && names.has('.git')) {
      const inner = repositoryAt(this.#absolute(folder), this.#disk)
      if (inner !== null && this.#isInRepository) return
      if (inner !== null) rules = this.#withRules(rules, folder, inner.exclude)
    }
    if (names.has('.gitignore'))
      rules = this.#withRules(rules, folder, this.#absolute(`${folder}/.gitignore`))
    const before = folder === '' ? '' : `${folder}/`
    for (const [at, entry] of entries.entries()) {
      if (at % TURN_STEPS === TURN_STEPS - 1 && this.#isDue()) await this.#giveWay()
      if (entry.name.startsWith('.')) continue
      const path = before + entry.name
      if (entry.isDirectory()) this.#meetFolder(path, entry.name, names, rules)
      else if (entry.isFile()) this.#meetFile(path, entry.name, rules)
      else if (entry.isSymbolicLink() && !rules.ignoresFile(path)) this.#meetLink(path, folder)
    }
  }

  #meetFolder(path: string, name: string, siblings: ReadonlySet<string>, above: IgnoreRules): void {
    if (isForeignFolder(name, siblings) || (!this.#tests && isTestFolder(name))) return
    if (this.#excluded.folder(path)) return
    const rules = above.inside(path)
    if (rules !== null) this.#waiting.push({ folder: path, rules })
  }

  #meetFile(path: string, name: string, rules: IgnoreRules): void {
    const manifest = isManifest(name)
    const language = languageOf(name)
    if (!manifest && language === null) return
    if (this.#excluded.file(path) || rules.ignoresFile(path)) return
    if (manifest) this.#manifests.push(path)
    if (language === null || isGeneratedName(name) || (!this.#tests && isTestName(name))) return
    try {
      const { size, mtimeMs } = this.#disk.facts(this.#absolute(path))
      this.#files.push({ path, language, size, changedMs: mtimeMs })
    } catch (error) {
      this.#warnOf(error, path, 'UNREADABLE_FILE', 'file')
    }
  }

  /** Links are not followed; this only finds those that someone who follows them would never come back from. */
  #meetLink(path: string, folder: string): void {
    try {
      const to = this.#disk.real(this.#absolute(path))
      const here = `${this.#realRoot}/${folder}`
      if (!`${here}/`.startsWith(to.endsWith('/') ? to : `${to}/`)) return
    } catch (error) {
      if (systemCode(error) !== 'ELOOP') return
    }
    this.#warn(
      'LINK_LOOP',
      path,
      `The link ${path} leads back to itself or to a folder that it lies in; it was not followed.`,
    )
  }

  #list(folder: string): Dirent[] | null {
    try {
      return this.#disk.list(this.#absolute(folder))
    } catch (error) {
      this.#warnOf(error, folder, 'UNREADABLE_FOLDER', 'folder')
      return null
    }
  }

  #withRules(rules: IgnoreRules, folder: string, file: string): IgnoreRules {
    if (rules.depth >= MAX_RULE_FILES) {
      const message = `${folder}/.gitignore was not read: ${MAX_RULE_FILES} folders above have one, too.`
      this.#warn('TOO_DEEP', folder, message)
      return rules
    }
    const text = this.#ruleText(file, folder)
    return text === null ? rules : rules.withFile(folder, text)
  }

  /** What a file of rules holds; null if there is none, or if it is a link, which git does not follow either. */
  #ruleText(file: string, folder: string | null): string | null {
    try {
      const facts = this.#disk.facts(file)
      if (!facts.isFile()) return null
      if (facts.size <= MAX_RULE_BYTES) return this.#disk.read(file)
      this.#warn('TOO_LARGE', folder, `${file} is larger than 1 MiB; its rules do not count.`)
    } catch (error) {
      const code = systemCode(error)
      if (code !== 'ENOENT' && code !== 'ENOTDIR')
        this.#warn(
          'UNREADABLE_FILE',
          folder,
          `${file} cannot be read; its rules do not count: ${reasonOf(error)}.`,
        )
    }
    return null
  }

  /** What a manifest holds; null, with its warning, if it cannot be had. */
  #readText(path: string): string | null {
    try {
      const file = this.#absolute(path)
      if (this.#disk.facts(file).size <= MAX_RULE_BYTES) return this.#disk.read(file)
      this.#warn('TOO_LARGE', path, `${path} is larger than 1 MiB; what it says does not count.`)
    } catch (error) {
      this.#warnOf(error, path, 'UNREADABLE_FILE', 'file')
    }
    return null
  }

  #absolute(path: string): string {
    return `${this.#root}/${path}`
  }

  #warnOf(error: unknown, path: string, code: ScanWarning['code'], what: string): void {
    const system = systemCode(error)
    const name = path === '' ? 'itself' : shortened(path)
    if (system === 'ENAMETOOLONG')
      this.#warn('TOO_DEEP', path, `The ${what} ${name} has a longer path than the system takes.`)
    else if (system !== 'ENOENT' && system !== 'ENOTDIR')
      this.#warn(code, path, `The ${what} ${name} cannot be read: ${reasonOf(error)}.`)
    else if (path.includes('\ufffd'))
      this.#warn('VANISHED_FILE', path, `The ${what} ${name} has a name that is not UTF-8; it was left out.`)
    else this.#warn('VANISHED_FILE', path, `The ${what} ${name} was gone before it was read.`)
  }

  #warn(code: ScanWarning['code'], path: string | null, message: string): void {
    this.#warnings.push({ code, path, message })
  }

  #tell(): void {
    this.#onFound(this.#files.slice(this.#told))
    this.#told = this.#files.length
  }

  #isDue(): boolean {
    return performance.now() >= this.#turnEnds
  }

  async #giveWay(): Promise<void> {
    this.#tell()
    await nextTurn()
    this.#turnEnds = performance.now() + TURN_MS
  }
}

/** The root without links, since repositories lie where folders really are; @throws TokenscopeError CONFIG if it is no folder */
function realFolder(root: string, disk: Disk): string {
  let real: string
  try {
    real = disk.real(root)
  } catch (error) {
    throw new TokenscopeError('CONFIG', `${root} cannot be scored: ${reasonOf(error)}`, { cause: error })
  }
  if (disk.facts(real).isDirectory()) return real
  throw new TokenscopeError('CONFIG', `${root} cannot be scored: it is no folder.`)
}

function shortened(path: string): string {
  return path.length <= 80 ? path : `${path.slice(0, 40)}…${path.slice(-39)}`
}
