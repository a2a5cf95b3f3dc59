import { CompareView } from './compare/compare-view.tsx'
import { Announcer } from './frame/announcer.tsx'
import { DropImport } from './frame/drop-import.tsx'
import { FirstRunHint } from './frame/first-run.tsx'
import { HelpSheet } from './frame/help-sheet.tsx'
import { DemoLabel, Notices } from './frame/notices.tsx'
import { TopBar } from './frame/top-bar.tsx'
import { Inspector } from './inspector/inspector.tsx'
import { InstrumentsPanel } from './instruments/instruments-panel.tsx'
import { ScopeMap } from './map/scope-map.tsx'
import { PromptBar } from './prompt/prompt-bar.tsx'
import { Rail } from './rail/rail.tsx'
import { type Scope, ScopeContext } from './scope.ts'
import { TimeBar } from './time/time-bar.tsx'

/** The frame of the page: top bar, list, map with what floats on it, prompt. */
export function App({ scope }: { scope: Scope }) {
  return (
    <ScopeContext.Provider value={scope}>
      <div class="frame">
        <TopBar />
        <Rail />
        <main class="stage">
          <DemoLabel />
          <div class="stage-body">
            <ScopeMap />
            <div class="floats">
              <Notices />
              <DropImport />
              <FirstRunHint />
            </div>
            <Inspector />
            {scope.panel.value === 'compare' ? <CompareView /> : null}
            {scope.panel.value === 'instruments' ? <InstrumentsPanel /> : null}
          </div>
          <TimeBar />
        </main>
        <PromptBar />
        <Announcer />
        {scope.help.value ? <HelpSheet /> : null}
      </div>
    </ScopeContext.Provider>
  )
}
