/** The schema of `pas.config.json`, for the docs and for editors; scans do without it, since loading it takes longer than they. */
import Type from 'typebox'
import { FROM_ROOT, SUBSYSTEM_NAME } from './pas-config.ts'

const PATH = Type.String({ pattern: FROM_ROOT })

/** It takes what `checkedPasConfig` takes. */
export const PAS_CONFIG_SCHEMA = Type.Object(
  {
    $schema: Type.Optional(Type.String({ description: 'Where this schema is, for editors.' })),
    subsystems: Type.Optional(
      Type.Record(Type.String({ pattern: SUBSYSTEM_NAME }), Type.Array(PATH, { minItems: 1 }), {
        additionalProperties: false,
        description:
          'Globs by the name of the subsystem, from this folder. A file is in the first subsystem of whose globs one means it; files that none means are in the subsystem ".".',
      }),
    ),
    exclude: Type.Optional(
      Type.Array(PATH, { description: 'Globs of files that are not scored, from this folder.' }),
    ),
    include_tests: Type.Optional(
      Type.Boolean({ default: false, description: 'Whether tests are scored, too.' }),
    ),
    include_dirs: Type.Optional(
      Type.Array(PATH, {
        description: 'Folders, from this one, in which C and C++ look for headers before any other.',
      }),
    ),
    gate_stability: Type.Optional(
      Type.Boolean({
        default: true,
        description:
          'Whether the gate compares stability, too, which is about commits and not about the files.',
      }),
    ),
  },
  { additionalProperties: false, description: 'How the structure of this project is scored.' },
)
