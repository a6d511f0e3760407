// Sends a file to a signed address, and tells how far it is.
import { ApiError } from './api-error';
import type { components } from './wire';

const UPLOAD_TIMEOUT_MS = 5 * 60_000;

/** XMLHttpRequest, because fetch does not tell how much of a body has gone out. */
export function putBytes(
  file: File,
  upload: components['schemas']['UploadAddress'],
  onPercent: (percent: number) => void,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const fail = (message: string) => reject(new ApiError('upload_failed', message, { status: request.status }));
    request.open(upload.method, upload.url);
    request.timeout = UPLOAD_TIMEOUT_MS;
    for (const [name, value] of Object.entries(upload.headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) onPercent(Math.floor((event.loaded / event.total) * 100));
    };
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) resolve();
      else fail(`The storage answered ${request.status}.`);
    };
    request.onerror = () => fail('The connection broke during the upload.');
    request.ontimeout = () => fail('The upload took too long.');
    request.onabort = () => reject(abortError());
    signal.addEventListener('abort', () => {
      request.abort();
    });
    request.send(file);
  });
}

export function abortError(): DOMException {
  return new DOMException('Stopped by the caller.', 'AbortError');
}
