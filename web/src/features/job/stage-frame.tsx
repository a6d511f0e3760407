// The screen of the studio: a dark frame in the shape of the result, with what is on it.
import type { ReactNode } from 'react';

interface Props {
  /** Width over height. */
  shape: number;
  /** A picture whose colours fill what the shape leaves free. */
  backdrop?: string | null;
  children: ReactNode;
}

const TALLEST = 'min(52dvh, 44rem)';

export function StageFrame({ shape, backdrop = null, children }: Props) {
  return (
    <div className="relative isolate flex justify-center overflow-hidden rounded-2xl border border-line bg-stage shadow-lift">
      {backdrop !== null && (
        <img
          src={backdrop}
          alt=""
          className="absolute inset-0 -z-10 size-full scale-125 object-cover opacity-35 blur-3xl"
        />
      )}
      <div
        className="relative w-full"
        style={{ aspectRatio: shape, maxHeight: TALLEST, maxWidth: `calc(${TALLEST} * ${shape})` }}
      >
        {children}
      </div>
    </div>
  );
}
