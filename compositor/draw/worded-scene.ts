import type { ViewAnswer } from '../../broadcast/protocol/view.ts'
import { whole } from './steps.ts'
import { paintTimeAxis } from './time-axis.ts'
import { paintEmpty, paintLegend } from './view-legend.ts'
import { easelOf, type SceneOptions, sceneSteps, type ViewScene } from './view-scene.ts'

/** What keeps tokens out of a picture: that they do not pass the filter, or came later than it shows. */
export type Narrowed = 'filter' | 'time'

export interface WordedOptions extends SceneOptions {
  /** Whether the picture tells what its colours stand for, and what its axis. */
  legend: boolean
  /** Why tokens that there are may not be seen. */
  narrowed: Narrowed | null
}

/** What to paint for an answer in a picture that stands by itself: with the words that tell what is seen, or why nothing is. */
export function wordedScene(answer: ViewAnswer, options: WordedOptions): ViewScene {
  const { shown, ...scene } = whole(sceneSteps(answer, options))
  const words = easelOf(answer, options)
  if (shown.tokens === 0 && shown.cells === 0) paintEmpty(words, options.narrowed)
  else if (options.legend && answer.layout === 'timeline') paintTimeAxis(words)
  if (options.legend) paintLegend(words, shown.most)
  return { ...scene, layers: [...scene.layers, words] }
}
