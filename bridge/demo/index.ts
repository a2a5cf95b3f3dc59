/** The embedded demo: a small language model trained at start, behind an OpenAI-compatible server. */
export { type Passage, parsePassages, readCorpus } from './model/corpus.ts'
export { createDemoModel, type DemoModel, type DemoModelOptions, type Predictor } from './model/demo-model.ts'
export {
  type GeneratedToken,
  Generation,
  type GenerationOptions,
  type TokenChance,
} from './model/generation.ts'
export { createDemoServer, type DemoServer, type DemoServerOptions, type SeenRequest } from './server.ts'
export { DEMO_MODEL_NAME } from './surfaces/model-name.ts'
