// The present moment, renewed every second while somebody looks at it.
import { useEffect, useState } from 'react';

export function useNowSeconds(read: () => number, isRunning: boolean): number {
  const [now, setNow] = useState(read);
  useEffect(() => {
    if (!isRunning) return;
    const timer = setInterval(() => setNow(read()), 1000);
    return () => clearInterval(timer);
  }, [read, isRunning]);
  return now;
}
