// For `node --import`: SwiftShader for a process that opens WebGPU before its own first line.
import { useSwiftShader } from './swiftshader.ts'

await useSwiftShader()
