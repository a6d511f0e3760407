// A number that counts to its new value, so that a moving balance is seen to move.
import { useEffect, useRef, useState } from 'react';

const ROLL_MS = 600;

export function RollingNumber({ value, format }: { value: number; format: (value: number) => string }) {
  const [shown, setShown] = useState(value);
  const from = useRef(value);
  useEffect(() => {
    const start = performance.now();
    const origin = from.current;
    if (origin === value) return;
    const isStill = matchMedia('(prefers-reduced-motion: reduce)').matches;
    let frame = requestAnimationFrame(function roll(now) {
      const part = isStill ? 1 : Math.min(1, (now - start) / ROLL_MS);
      const next = Math.round(origin + (value - origin) * (1 - (1 - part) ** 3));
      from.current = next;
      setShown(next);
      if (part < 1) frame = requestAnimationFrame(roll);
    });
    return () => cancelAnimationFrame(frame);
  }, [value]);
  return <span className="nums">{format(shown)}</span>;
}
