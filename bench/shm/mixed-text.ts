/** What stands in the files of a made-up tree besides their imports: code, comments and texts like people's. */
import { between, oneOf } from '../../test/support/random.ts'

export type MixedKind =
  | 'typescript'
  | 'tsx'
  | 'javascript'
  | 'commonjs'
  | 'python'
  | 'rust'
  | 'go'
  | 'c'
  | 'cpp'

/** Different pieces of code that are made of each template. */
const VARIANTS = 12
const SMALLEST_BYTES = 900
const MEAN_BYTES = 4000
const LARGEST_BYTES = 40_000
/** So many files have comments, strings and patterns in them that look like imports: of 887 files of openai, ai and @ai-sdk 2 name `require(`. */
const TRICKY_SHARE = 0.05
/** What says instead in all others what looks like an import. */
const HARMLESS: Readonly<Record<string, string>> = {
  import: 'insert',
  require: 'request',
  include: 'contain',
  'export *': 'expose *',
}

const NOUNS =
  'account batch buffer cache channel client column cursor device entry event filter frame group handle index invoice job key label ledger limit line list lock message meter node order packet parser path payload peer plan pool price query queue range record region report request response route row rule schema session signal slot snapshot source span stream table task ticket timer token topic tree user value window worker'.split(
    ' ',
  )
const VERBS =
  'add apply build check close collect compare count decode drop encode find flush format load match merge move open parse pick pull push read render resolve send sort split store sum take trim update walk write'.split(
    ' ',
  )

const ECMASCRIPT = `
/**
 * Will $verb every $noun of a $other, the oldest first. A $noun that is gone is skipped: see "import { $noun } from './$other.js'" in the guide.
 *
 * @param limit how many, $n if not told
 */
export function $verb$Noun$n($other«: Map<string, number>», limit = $n)«: number[]» {
  const found«: number[]» = []
  for (const [name, value] of $other) {
    // from '$noun' on, nothing is kept
    if (name.startsWith('$noun-') && value > limit) found.push(value * $m)
    else if (/^(?:import|export)\\s+["'\`]$noun/.test(name)) found.push(value / 2 - limit)
  }
  return found.sort((one, other) => one - other).slice(0, limit)
}
---
/* The $noun as a person reads it; "export * from './$other'" is no import here. */
export const $verb$Other$n = (name«: string», count«: number») =>
  count === 1
    ? \`one $noun of \${name}\`
    : \`\${count.toLocaleString('en')} \${name.length > $m ? \`long \${name.slice(0, $m)}…\` : '$other'}s, import('./$noun')\`
---
export class $Noun$Other$n {
  #$noun = new Map«<string, number>»()
  #limit = $n

  /** What is kept of a $other; what comes later wins. */
  $verb(name«: string», value«: number») {
    const before = this.#$noun.get(name) ?? 0
    if (before >= this.#limit) throw new Error(\`The $noun "\${name}" is full: \${before} of \${this.#limit}.\`)
    this.#$noun.set(name, before + value)
    return before / $m
  }

  get size() {
    let sum = 0
    for (const value of this.#$noun.values()) sum += value
    return sum
  }
}
---
const $OTHER_$n = Object.freeze({
  $noun: [$n, $m, 0x$m, 1_000],
  '$other-$noun': 'require("./$noun") is what it said before',
  label: "$verb the $other's $noun",
})

export async function $verb$Noun$Other$n(signal«: AbortSignal») {
  let tries = 0
  while (!signal.aborted) {
    tries++
    if (tries > $OTHER_$n.$noun.length) break
    await new Promise(resolve => setTimeout(resolve, tries * $m))
  }
  return tries
}
`

const JSX = `
/** One $noun of the list. */
export function $Noun$Other$n({ name, values }«: { name: string; values: number[] }») {
  const sum = values.reduce((one, other) => one + other, 0)
  return (
    <section className="$noun-$other" aria-label={\`$noun \${name}\`}>
      <h2>{name} imports {values.length} from "$other"</h2>
      {values.length === 0 ? <p>No $noun yet, so there is nothing to $verb.</p> : null}
      <ul>
        {values.map((value, i) => (
          <li key={i} title={sum > 0 ? \`\${((value / sum) * 100).toFixed(1)} %\` : ''}>{value.toFixed(2)}</li>
        ))}
      </ul>
    </section>
  )
}
---
`

const PYTHON = `
def $verb_$noun_$n($other, limit=$n):
    """$Verb every $noun of a $other.

    An example::

        import $noun_missing
        from .$other_missing import $noun

    Gives the list, the oldest first.
    """
    found = []
    for name, value in $other.items():
        if name.startswith("import $noun") and value > limit:
            found.append(value * $m)
        elif value < 0:  # from $noun import nothing
            raise ValueError(f"the $noun {name!r} is below zero: {value}")
    return sorted(found)[:limit]
---
class $Noun$Other$n:
    '''Keeps each $noun of a $other.'''

    limit = $n
    pattern = r'^from \\w+ import ($noun|$other)$'

    def __init__(self, name, values=()):
        self.name = name
        self.values = {key: i * $m for i, key in enumerate(values)}

    def $verb(self, key, value=$m):
        before = self.values.get(key, 0)
        if before >= self.limit:
            return None
        self.values[key] = before + value
        return before / self.limit

    @property
    def size(self):
        return sum(self.values.values())
---
$OTHER_$n = {
    "$noun": [$n, $m, 0x$m],
    "$other": "\\"import $noun\\" is what it said before",
}
`

const RUST = `
/// Will $verb every $noun of a $other, the oldest first.
///
/// \`\`\`
/// use crate::missing::$noun;
/// \`\`\`
pub fn $verb_$noun_$n(values: &[u64], limit: usize) -> Vec<u64> {
    let mut found: Vec<u64> = Vec::with_capacity(limit);
    for (i, value) in values.iter().enumerate() {
        /* a $noun /* of a $other; mod missing; */ counts twice */
        if *value > $n && i < limit {
            found.push(value * $m);
        }
    }
    found.sort_unstable();
    found
}
---
#[derive(Debug, Clone, Default)]
pub struct $Noun$Other$n {
    $noun: u64,
    label: String,
}

impl $Noun$Other$n {
    pub const LIMIT: u64 = $n;

    pub fn $verb(&mut self, value: u64) -> Option<u64> {
        let before = self.$noun;
        if before >= Self::LIMIT {
            self.label = format!(r#"use "missing::$noun"; {} of {}"#, before, Self::LIMIT);
            return None;
        }
        self.$noun = before.saturating_add(value * $m);
        Some(before)
    }

    pub fn sign<'a>(&self, text: &'a str) -> (char, &'a str) {
        ('\\'', text.trim_start_matches('"'))
    }
}
`

const GO = `
// $Verb$Noun$n gives every $noun of a $other, the oldest first.
// import "example.com/missing/$noun" is not needed for it.
func $Verb$Noun$n(values map[string]int, limit int) []int {
	found := make([]int, 0, limit)
	for name, value := range values {
		if len(name) > $m && value > $n {
			found = append(found, value*$m)
		}
	}
	return found
}
---
type $Noun$Other$n struct {
	values map[string]int
	label  string
}

/* $Verb keeps a $noun:
import "missing"
*/
func (one *$Noun$Other$n) $Verb(name string, value int) bool {
	before, known := one.values[name]
	if known && before >= $n {
		one.label = \`import "$noun"\` + " of a \\"$other\\""
		return false
	}
	one.values[name] = before + value*$m
	return true
}
`

const C = `
/* Will $verb every $noun of a $other, the oldest first.
#include "missing/$noun.h"
*/
static inline int $verb_$noun_$n(const int *values, int count, int limit)
{
    int found = 0;
    for (int i = 0; i < count; i++) {
        if (values[i] > $n && found < limit) // #include "missing.h" was here
            found += values[i] * $m;
        else if (values[i] < 0)
            return -i;
    }
    return found;
}
---
#define $OTHER_$n($noun) (($noun) * $m + $n)

struct $noun_$other_$n {
    int $noun;
    const char *label; /* "$verb a \\"$noun\\"" */
};

static inline const char *$verb_$other_$n(const struct $noun_$other_$n *one)
{
    return one->$noun > $OTHER_$n($m) ? one->label : "#include <$noun.h> is no import";
}
`

const TEMPLATES: Record<MixedKind, string> = {
  typescript: typed(ECMASCRIPT),
  tsx: typed(JSX + ECMASCRIPT),
  javascript: plain(ECMASCRIPT),
  commonjs: plain(ECMASCRIPT).replaceAll(/^export /gm, ''),
  python: PYTHON,
  rust: RUST,
  go: GO,
  c: C,
  cpp: C,
}

/** Makes the bodies of files, the same ones for the same numbers. */
export class MixedText {
  readonly #random: () => number
  readonly #pieces = new Map<MixedKind, { tricky: string[]; plain: string[] }>()

  constructor(random: () => number) {
    this.#random = random
    for (const kind of Object.keys(TEMPLATES) as MixedKind[]) {
      const tricky = this.#variantsOf(kind)
      this.#pieces.set(kind, { tricky, plain: tricky.map(harmless) })
    }
  }

  /** A name for a file, without ending. */
  name(): string {
    return `${oneOf(this.#random, VERBS)}_${oneOf(this.#random, NOUNS)}`
  }

  /** Code of one file: some hundred lines as a rule, few of them many more. */
  body(kind: MixedKind): string {
    const { tricky, plain } = this.#pieces.get(kind) as { tricky: string[]; plain: string[] }
    const pieces = this.#random() < TRICKY_SHARE ? tricky : plain
    const bytes = this.#size()
    const taken: string[] = []
    for (let sum = 0; sum < bytes; ) {
      const piece = oneOf(this.#random, pieces)
      taken.push(piece)
      sum += piece.length
    }
    return taken.join('\n')
  }

  /** Sizes fall off exponentially, as those of files do. */
  #size(): number {
    const size = SMALLEST_BYTES - Math.log(1 - this.#random()) * (MEAN_BYTES - SMALLEST_BYTES)
    return Math.min(size, LARGEST_BYTES)
  }

  #variantsOf(kind: MixedKind): string[] {
    return TEMPLATES[kind]
      .split('---\n')
      .flatMap(template => Array.from({ length: VARIANTS }, () => this.#filled(template)))
  }

  #filled(template: string): string {
    const [noun, other, verb] = [NOUNS, NOUNS, VERBS].map(words => oneOf(this.#random, words)) as [
      string,
      string,
      string,
    ]
    const words: Record<string, string> = {
      noun,
      other,
      verb,
      Noun: capital(noun),
      Other: capital(other),
      Verb: capital(verb),
      OTHER: other.toUpperCase(),
      n: String(between(this.#random, 10, 1000)),
      m: String(between(this.#random, 2, 10)),
    }
    return template
      .trim()
      .replaceAll(
        /\$(noun|other|verb|Noun|Other|Verb|OTHER|n|m)(?![a-z])/g,
        (_, word: string) => words[word] ?? '',
      )
      .concat('\n')
  }
}

/** A template of TypeScript: «…» is what JavaScript lacks. */
function typed(template: string): string {
  return template.replaceAll(/[«»]/g, '')
}

function plain(template: string): string {
  return template.replaceAll(/«[^»]*»/g, '')
}

function harmless(piece: string): string {
  return piece.replaceAll(/\b(?:import|require|include|export \*)/g, word => HARMLESS[word] as string)
}

function capital(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1)
}
