/** `nn`: activation functions and what neural networks normalise with. */
export { logistic as sigmoid } from '../primitive/elementwise.ts'
