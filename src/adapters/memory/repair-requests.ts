/** Requests for repairs in memory, in the order they were made. */
import type { RepairRequest, RepairRequests } from '../../ports/repair-requests';

export interface MemoryRepairRequests extends RepairRequests {
  readonly asked: RepairRequest[];
}

export function memoryRepairRequests(): MemoryRepairRequests {
  const asked: RepairRequest[] = [];
  return { asked, ask: async (request) => void asked.push(request) };
}
