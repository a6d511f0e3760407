// The one picture: it starts to travel when it is picked, so that it is usually there before Generate is pressed.
import { useCallback, useEffect, useRef, useState } from 'react';
import { ApiError, uploadPicture } from '../../api';
import { pictureProblem, type PictureProblem } from './picture-rules';

export type PicturePhase =
  | { name: 'none' }
  | { name: 'uploading'; percent: number; imageId: string | null }
  | { name: 'ready'; imageId: string }
  | { name: 'failed'; error: ApiError };

export interface Refusal {
  problem: PictureProblem;
  file: File;
}

export interface Picture {
  phase: PicturePhase;
  /** The last file that was not taken. A wrong file does not throw out a good one that is there already. */
  refusal: Refusal | null;
  file: File | null;
  previewUrl: string | null;
  add: (file: File) => void;
  remove: () => void;
  retry: () => void;
  /** The image id, once the server has checked the picture; null when there is none. */
  whenReady: () => Promise<string | null>;
}

interface Trip {
  file: File;
  previewUrl: string;
  stop: AbortController;
  arrival: Promise<string>;
}

export function usePicture(): Picture {
  const [phase, setPhase] = useState<PicturePhase>({ name: 'none' });
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const [trip, setTrip] = useState<Trip | null>(null);
  const current = useRef<Trip | null>(null);

  const drop = useCallback(() => {
    current.current?.stop.abort();
    if (current.current !== null) URL.revokeObjectURL(current.current.previewUrl);
    current.current = null;
    setTrip(null);
  }, []);

  useEffect(() => () => current.current?.stop.abort(), []);

  const send = useCallback((file: File, previewUrl: string) => {
    const stop = new AbortController();
    const show = (next: PicturePhase) => {
      if (!stop.signal.aborted) setPhase(next);
    };
    show({ name: 'uploading', percent: 0, imageId: null });
    const arrival = uploadPicture(file, (progress) => show({ name: 'uploading', ...progress }), stop.signal);
    arrival.then(
      (imageId) => show({ name: 'ready', imageId }),
      (error: unknown) =>
        show({
          name: 'failed',
          error: error instanceof ApiError ? error : new ApiError('upload_failed', String(error)),
        }),
    );
    current.current = { file, previewUrl, stop, arrival };
    setTrip(current.current);
  }, []);

  const add = useCallback(
    (file: File) => {
      const problem = pictureProblem(file);
      setRefusal(problem === null ? null : { problem, file });
      if (problem !== null) return;
      drop();
      send(file, URL.createObjectURL(file));
    },
    [drop, send],
  );

  const remove = useCallback(() => {
    drop();
    setRefusal(null);
    setPhase({ name: 'none' });
  }, [drop]);

  const retry = useCallback(() => {
    if (current.current !== null) send(current.current.file, current.current.previewUrl);
  }, [send]);

  const whenReady = useCallback(async () => (current.current === null ? null : current.current.arrival), []);

  return {
    phase,
    refusal,
    file: trip?.file ?? null,
    previewUrl: trip?.previewUrl ?? null,
    add,
    remove,
    retry,
    whenReady,
  };
}
