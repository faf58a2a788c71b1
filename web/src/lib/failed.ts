/** Which part of a form an error belongs to. */

import type { ApiError } from './api';

/** The message, if the error is about that field of the request (`role.name` belongs to `role`). */
export function at(error: ApiError | undefined, ...fields: string[]): string | undefined {
  const field = error?.field?.split(/[.[]/)[0];
  return error && field !== undefined && fields.includes(field) ? error.message : undefined;
}

/** The error, if it is about none of the fields. */
export function elsewhere(error: ApiError | undefined, ...fields: string[]): ApiError | undefined {
  return at(error, ...fields) === undefined ? error : undefined;
}
