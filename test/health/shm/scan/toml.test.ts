import { execFileSync, spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readToml, type TomlValue } from '../../../../health/shm/scan/toml.ts'

const DOCUMENTS = [
  '',
  'a = "b" # c\n',
  'a."b c".d = \'x\\y\'\n[t]\nx = ["a", "b",]\n[t.u]\ny = { z = "1", w = { v = [ ["deep"] ] } }\n',
  '[[bin]]\nname = "a"\n[[bin]]\nname = "b"\n[bin.more]\nk = "v"\n',
  'a = """\nfirst \\\n   joined "" quotes"""""\nb = \'\'\'\nraw \\ text\'\'\'\n',
  'n = 1\nf = -1.5e3\nt = 1979-05-27T07:32:00Z\ns = 1979-05-27 07:32:00\nb = true\ni = inf\nx = 0xff\n',
  'list = [ # why\n  "a", # first\n\n  "b"\n  # last\n]\r\n[ spaced . "key" ]\nz = "\\u00e9\\U0001f600\\t\\""\n',
  '[workspace]\nmembers = ["crates/*"]\nexclude = []\n[workspace.dependencies]\na = { path = "crates/a", version = "1" }\n',
]
const BROKEN = [
  'a',
  'a = ',
  'a = "b',
  '[a',
  'a = [1',
  'a = {b = 1',
  'a = "\\q"',
  'a = "x" y',
  '= 1',
  'a = 1\na.b = 2',
]

/** What CPython's own reader makes of it, with all that is not text, list or table as null; null: it is no TOML. */
function byPython(texts: readonly string[]): unknown[] {
  const program = `import json, sys, tomllib
def plain(v):
    if isinstance(v, dict): return {k: plain(x) for k, x in v.items()}
    if isinstance(v, list): return [plain(x) for x in v]
    return v if isinstance(v, str) else None
def read(t):
    try: return plain(tomllib.loads(t))
    except Exception: return None
print(json.dumps([read(t) for t in json.load(sys.stdin)]))`
  const input = JSON.stringify(texts)
  return JSON.parse(execFileSync('python3', ['-c', program], { input, encoding: 'utf8', maxBuffer: 2 ** 27 }))
}

const hasTomllib = spawnSync('python3', ['-c', 'import tomllib']).status === 0

describe('TOML', () => {
  it.skipIf(!hasTomllib)('is read as Python reads it (needs python3 with tomllib)', () => {
    const expected = byPython(DOCUMENTS)
    expect(DOCUMENTS.map(text => plain(readToml(text)))).toEqual(expected)
    expect(expected).not.toContain(null)
  })

  it.skipIf(!hasTomllib)(
    'is read as Python reads it wherever both take it (needs python3 with tomllib)',
    () => {
      const key = fc.constantFrom('a', 'b', '"c d"', "'e'", 'a.b', '"".x', 'a-1_')
      const text = fc.constantFrom(
        '"x"',
        "'y\\'",
        '""',
        '"\\n"',
        '"""z"""',
        '"#"',
        "''''q'''",
        '1',
        'true',
        '1.5',
      )
      const { value } = fc.letrec<{ value: string }>(tie => ({
        value: fc.oneof(
          { depthSize: 'small' },
          text,
          fc.array(tie('value')).map(items => `[ ${items.join(' ,\n #c\n ')} ]`),
          fc
            .array(fc.tuple(key, tie('value')))
            .map(pairs => `{ ${pairs.map(pair => pair.join(' = ')).join(', ')} }`),
        ),
      }))
      const line = fc.oneof(
        fc.tuple(key, value).map(pair => pair.join('=')),
        key.map(path => `[${path}]`),
        key.map(path => `[[ ${path} ]] # c`),
        fc.constant(''),
      )
      const texts = fc.sample(
        fc.array(line, { maxLength: 8 }).map(lines => lines.join('\n')),
        { numRuns: 3000, seed: 7 },
      )
      const expected = byPython(texts)
      const taken = texts.flatMap((text, i) => (expected[i] === null ? [] : [{ text, means: expected[i] }]))
      // In TOML 1.0, which Python reads, inline tables keep to one line: what is refused for that is not compared.
      expect(taken.length).toBeGreaterThan(500)
      for (const { text, means } of taken)
        expect({ text, means: plain(readToml(text)) }).toEqual({ text, means })
    },
  )

  it.each(BROKEN)('that is none is told as such: %s', text => {
    expect(readToml(text)).toBeNull()
  })

  it('never throws, however deep or odd a text is', () => {
    expect(readToml(`a = ${'['.repeat(200_000)}`)).toBeNull()
    expect(readToml(`a = ${'{a='.repeat(200_000)}`)).toBeNull()
    fc.assert(
      fc.property(fc.stringMatching(/^[[\]{}a="'.,#\n\\ ]{0,40}$/), text => {
        readToml(text)
      }),
    )
  })
})

function plain(value: TomlValue): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]))
  return Array.isArray(value) ? value.map(plain) : value
}
