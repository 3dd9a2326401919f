/**
 * The header that names an operation: `Sora_20211215.GetMode`. Pure.
 */
import { failed, ok, type Result } from '../../base/index.ts';
import type { GenericErrorType, Target } from '../../contract/index.ts';

/** The name of the header. */
export const TARGET_HEADER = 'x-sora-target';
const TARGET = /^([A-Za-z]+)_(\d{8})\.([A-Za-z]+)$/;
const SERVICE = 'Sora';

/** Reads the header. Whether there is such an operation is not its business. */
export function readTarget(header: string | undefined): Result<Target, GenericErrorType> {
  if (header === undefined) return failed('MissingHeaderName');
  const [, service, version, operation] = TARGET.exec(header) ?? [];
  if (service === undefined || version === undefined || operation === undefined) {
    return failed('MissingService');
  }
  return service === SERVICE ? ok({ service, version, operation }) : failed('InvalidTarget');
}
