import { formatCount, formatDuration, NOTHING } from '../format.ts'
import { spanWords } from '../time/clock-words.ts'
import type { ClientReport, Viewers } from './pool-api.ts'

const STATE_WORDS = { connecting: 'connecting', live: 'live', behind: 'behind', held: 'waited for' } as const

/** Who watches, and how far behind each is. */
export function ViewersTable({ viewers, now }: { viewers: Viewers | null; now: number }) {
  return (
    <section class="instrument-table" data-testid="viewers">
      <h3>
        Viewers
        {viewers?.more ? <span class="note">the {viewers.clients.length} connected the longest</span> : null}
      </h3>
      <div class="table-scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">from</th>
              <th scope="col">state</th>
              <th scope="col" class="figure" title="Entries between what it acknowledged and the newest one">
                lag
              </th>
              <th scope="col" class="figure" title="From the last ping to its pong">
                ping
              </th>
              <th scope="col" class="figure">
                for
              </th>
            </tr>
          </thead>
          <tbody>
            {viewers?.clients.map(client => (
              <Row key={client.client} client={client} now={now} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}

function Row({ client, now }: { client: ClientReport; now: number }) {
  return (
    <tr data-tone={client.state === 'live' ? 'live' : 'waiting'}>
      <th scope="row" title={`${client.client}, ${client.protocol}`}>
        {client.address ?? NOTHING}
      </th>
      <td>
        <span class="state-dot" aria-hidden="true" /> {STATE_WORDS[client.state]}
      </td>
      <td class="figure">{formatCount(client.lag)}</td>
      <td class="figure">{formatDuration(client.rtt_ms)}</td>
      <td class="figure">{spanWords(now - client.connected_at)}</td>
    </tr>
  )
}
