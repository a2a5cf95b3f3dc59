import type { CameraPose } from './camera.ts'

/** How stiff the camera's spring is, in 1/s; it is damped critically, so it never overshoots. */
const STIFFNESS = 9
/** Closer than this, in pixels or in the logarithm of the zoom, it has arrived. */
const NEAR_PX = 0.15
const NEAR_LOG = 0.0008

/** Moves a camera pose to a target that may change on the way. */
export class CameraSpring {
  pose: CameraPose
  #target: CameraPose | null = null
  /** Velocities: of x, y, and the logarithms of both zooms. */
  #velocity: [number, number, number, number] = [0, 0, 0, 0]

  constructor(pose: CameraPose) {
    this.pose = pose
  }

  /** Whether it is on its way. */
  get moving(): boolean {
    return this.#target !== null
  }

  /** Where it will come to rest. */
  get destination(): CameraPose {
    return this.#target ?? this.pose
  }

  /** Sets off for `target`; goes there at once where `cut`. */
  aim(target: CameraPose, cut: boolean): void {
    if (cut) this.hold(target)
    else this.#target = target
  }

  /** Is at `pose` now, and stays. */
  hold(pose: CameraPose): void {
    this.pose = pose
    this.#target = null
    this.#velocity = [0, 0, 0, 0]
  }

  /** Moves on by `dt` seconds; says whether it is still on its way. */
  step(dt: number): boolean {
    const target = this.#target
    if (target === null) return false
    const { pose } = this
    const [vx, vy, vz, vzy] = this.#velocity
    const x = advance(pose.x - target.x, vx, dt)
    const y = advance(pose.y - target.y, vy, dt)
    const z = advance(Math.log(pose.zoom / target.zoom), vz, dt)
    const zy = advance(Math.log(pose.zoomY / target.zoomY), vzy, dt)
    this.#velocity = [x[1], y[1], z[1], zy[1]]
    const off = Math.max(Math.abs(x[0]) * target.zoom, Math.abs(y[0]) * target.zoomY)
    if (off < NEAR_PX && Math.max(Math.abs(z[0]), Math.abs(zy[0])) < NEAR_LOG) {
      this.hold(target)
      return false
    }
    this.pose = {
      x: target.x + x[0],
      y: target.y + y[0],
      zoom: target.zoom * Math.exp(z[0]),
      zoomY: target.zoomY * Math.exp(zy[0]),
    }
    return true
  }
}

/** The exact solution of a critically damped spring over `dt`: no step is too long for it. */
function advance(distance: number, velocity: number, dt: number): [number, number] {
  const decay = Math.exp(-STIFFNESS * dt)
  const drift = velocity + STIFFNESS * distance
  return [(distance + drift * dt) * decay, (velocity - STIFFNESS * drift * dt) * decay]
}
