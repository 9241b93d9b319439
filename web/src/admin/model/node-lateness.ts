import type { NodeStatus } from "../../source";

/**
 * How late another node is behind this one, in milliseconds.
 *
 * A node tells the number of its last batch from time to time. What it is behind since then, it is only because time has passed: the
 * batches that this node got in that time are not counted. Undefined if that cannot be told, as while no batch comes.
 */
export function nodeLateness({ batch, heardMs }: Pick<NodeStatus, "batch" | "heardMs">, own: number | undefined, batchesPerSecond: number | undefined): number | undefined {
  if (batch === undefined || own === undefined) return undefined;
  if (batch >= own) return 0;
  if (batchesPerSecond === undefined || batchesPerSecond === 0) return undefined;
  return Math.max(0, ((own - batch) / batchesPerSecond) * 1_000 - heardMs);
}
