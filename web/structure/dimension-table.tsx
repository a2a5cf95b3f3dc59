import { scaleColour } from '../../compositor/draw/colour-scale.ts'
import { cssOfRgba } from '../../compositor/draw/rgba.ts'
import type { PasDimension, PasReport } from '../../health/shm/report.ts'
import { useScope } from '../scope.ts'
import { DIMENSIONS, type DimensionName, scoreWords, statusTone } from './structure-words.ts'

/** What the score is made of. */
export function DimensionTable({ report: { dimensions } }: { report: PasReport }) {
  const { evenness, acyclicity } = dimensions.symmetry.parts
  const symmetry = `: evenness ${scoreWords(evenness.value)}, without circles ${scoreWords(acyclicity.value)}`
  return (
    <section class="instrument-table" data-testid="dimensions">
      <h3>Dimensions</h3>
      <table>
        <thead>
          <tr>
            <th scope="col">name</th>
            <th scope="col" class="dimension-bar">
              <span class="off-screen">as a bar</span>
            </th>
            <th scope="col" class="figure" title="After calibration, of 1">
              value
            </th>
            <th scope="col" class="figure" title="As it is measured, of 1">
              raw
            </th>
            <th scope="col" class="figure weight" title="Its part in the score">
              weight
            </th>
            <th scope="col" class="dimension-status">
              status
            </th>
          </tr>
        </thead>
        <tbody>
          {(Object.keys(DIMENSIONS) as DimensionName[]).map(name => (
            <Row
              key={name}
              name={name}
              dimension={dimensions[name]}
              measures={DIMENSIONS[name][0] + (name === 'symmetry' ? symmetry : '')}
            />
          ))}
        </tbody>
      </table>
    </section>
  )
}

interface RowProps {
  name: DimensionName
  dimension: PasDimension
  measures: string
}

function Row({ name, dimension: { value, raw, weight, status }, measures }: RowProps) {
  const { scale } = useScope().look
  return (
    <tr data-tone={statusTone(status)} title={measures}>
      <th scope="row">{name}</th>
      {value === null ? (
        <td colSpan={5} class="note">
          not scored: {DIMENSIONS[name][1]}
        </td>
      ) : (
        <>
          <td class="dimension-bar">
            <span class="bar-track">
              <span
                class="bar-fill"
                style={{ width: `${value * 100}%`, background: cssOfRgba(scaleColour(value, scale.value)) }}
              />
            </span>
          </td>
          <td class="figure">{scoreWords(value)}</td>
          <td class="figure note">{scoreWords(raw)}</td>
          <td class="figure note weight">{Math.round(weight * 100)} %</td>
          <td class="dimension-status">
            <span class="state-dot" aria-hidden="true" /> {status}
          </td>
        </>
      )}
    </tr>
  )
}
