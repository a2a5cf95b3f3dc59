import type { CameraPose } from './camera.ts'

/** How stiff the camera's spring is, in 1/s; it is damped critically, so it never overshoots. */
const STIFFNESS = 9
/** Closer than this, in pixels or in the logarithm of the scale, it has arrived. */
const NEAR_PX = 0.15
const NEAR_LOG = 0.0008

/** Moves a camera pose to a target that may change on the way. */
export class CameraSpring {
  pose: CameraPose
  #target: CameraPose | null = null
  #vx = 0
  #vy = 0
  #vs = 0

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
    this.#vx = this.#vy = this.#vs = 0
  }

  /** Moves on by `dt` seconds; says whether it is still on its way. */
  step(dt: number): boolean {
    const target = this.#target
    if (target === null) return false
    const { pose } = this
    const [x, vx] = advance(pose.x - target.x, this.#vx, dt)
    const [y, vy] = advance(pose.y - target.y, this.#vy, dt)
    const [s, vs] = advance(Math.log(pose.scale / target.scale), this.#vs, dt)
    this.#vx = vx
    this.#vy = vy
    this.#vs = vs
    const off = Math.max(Math.abs(x), Math.abs(y)) * target.scale
    if (off < NEAR_PX && Math.abs(s) < NEAR_LOG) {
      this.hold(target)
      return false
    }
    this.pose = { x: target.x + x, y: target.y + y, scale: target.scale * Math.exp(s) }
    return true
  }
}

/** The exact solution of a critically damped spring over `dt`: no step is too long for it. */
function advance(distance: number, velocity: number, dt: number): [number, number] {
  const decay = Math.exp(-STIFFNESS * dt)
  const drift = velocity + STIFFNESS * distance
  return [(distance + drift * dt) * decay, (velocity - STIFFNESS * drift * dt) * decay]
}
