// The screen of the studio: a dark frame in the shape of the result, with what is on it.
import type { ReactNode } from 'react';

interface Props {
  /** Width over height. */
  shape: number;
  children: ReactNode;
}

const TALLEST = 'min(58dvh, 44rem)';

export function StageFrame({ shape, children }: Props) {
  return (
    <div className="relative isolate flex justify-center overflow-hidden rounded-2xl border border-line bg-stage shadow-lift">
      <div className="relative w-full" style={{ aspectRatio: shape, maxHeight: TALLEST, maxWidth: `calc(${TALLEST} * ${shape})`, minHeight: '13rem' }}>
        {children}
      </div>
    </div>
  );
}
