import { formatCount, formatDuration, formatPercent } from '../format.ts'
import type { InstanceReport, Upstreams } from './pool-api.ts'

const CIRCUIT_WORDS = { closed: 'closed', half_open: 'half open', open: 'open' } as const

/** The upstreams as they are: whether each is up, how its circuit stands, how much it does, how fast. */
export function UpstreamsTable({ upstreams }: { upstreams: Upstreams | null }) {
  return (
    <section class="instrument-table" data-testid="upstreams">
      <h3>
        Upstreams
        {upstreams !== null && upstreams.queued > 0 ? (
          <span class="note">
            {formatCount(upstreams.queued)} {upstreams.queued === 1 ? 'request waits' : 'requests wait'} for a
            place
          </span>
        ) : null}
      </h3>
      <div class="table-scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">name</th>
              <th scope="col">state</th>
              <th
                scope="col"
                title="Whether it is given requests: open where it failed more often than is usual for it"
              >
                circuit
              </th>
              <th scope="col" class="figure">
                in flight
              </th>
              <th scope="col" class="figure" title="Time to the first token, moving average">
                TTFT
              </th>
              <th
                scope="col"
                class="figure"
                title="Generations that it failed at, of those that it was given"
              >
                failed
              </th>
            </tr>
          </thead>
          <tbody>
            {upstreams?.instances.map(instance => (
              <Row key={instance.label} instance={instance} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}

function Row({ instance }: { instance: InstanceReport }) {
  const { circuit, up, trouble } = instance
  const share =
    circuit.failure_rate === null
      ? 'no generation yet'
      : `${formatPercent(circuit.failure_rate)} of the last ${circuit.samples} failed; it opens beyond ${formatPercent(circuit.limit)}`
  return (
    <tr data-tone={up ? 'live' : 'waiting'}>
      <th scope="row" title={instance.url}>
        {instance.name}
      </th>
      <td title={trouble ?? ''}>
        <span class="state-dot" aria-hidden="true" /> {up ? 'up' : (trouble ?? 'not answering')}
      </td>
      <td title={share} data-circuit={circuit.state}>
        {CIRCUIT_WORDS[circuit.state]}
      </td>
      <td class="figure">
        {instance.in_flight} of {instance.max}
      </td>
      <td class="figure">{formatDuration(instance.ttft_ms_ewma)}</td>
      <td class="figure">
        {formatCount(instance.failures)} of {formatCount(instance.requests)}
      </td>
    </tr>
  )
}
