// The pictures, one for each role: each starts to travel when it is picked, so that it is usually there before Generate
// is pressed.
import { useCallback, useEffect, useRef, useState } from 'react';
import { ApiError, uploadPicture, type CheckedPicture, type ImageRole } from '../../api';
import { pictureProblem, type PictureProblem } from './picture-rules';

export type PicturePhase =
  | { name: 'none' }
  | { name: 'uploading'; percent: number; imageId: string | null }
  | ({ name: 'ready' } & CheckedPicture)
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

export type Pictures = Record<ImageRole, Picture>;

interface Trip {
  file: File;
  previewUrl: string;
  stop: AbortController;
  arrival: Promise<CheckedPicture>;
}

export function usePictures(): Pictures {
  return { start: usePicture(), end: usePicture(), subject: usePicture(), source: usePicture() };
}

/** The id that a picture has from the moment it is announced, before all of it has arrived. */
export function imageIdOf({ phase }: Picture): string | null {
  return phase.name === 'ready' || phase.name === 'uploading' ? phase.imageId : null;
}

function usePicture(): Picture {
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
      (checked) => show({ name: 'ready', ...checked }),
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

  const whenReady = useCallback(async () => {
    const checked = await current.current?.arrival;
    return checked?.imageId ?? null;
  }, []);

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
