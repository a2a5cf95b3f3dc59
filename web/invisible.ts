export { type VisiblePiece, visiblePieces, visibleText } from '../compositor/draw/invisible.ts'
