// A line under a field: why it is as it is, what gave way, or what is wrong with it.
import type { ReactNode } from 'react';

const LOOKS = {
  quiet: 'text-muted',
  changed: 'text-amber',
  bad: 'text-rose',
} as const;

export function FieldNote({ look, children }: { look: keyof typeof LOOKS; children: ReactNode }) {
  return (
    <p role={look === 'bad' ? 'alert' : undefined} className={`mt-1.5 text-xs ${LOOKS[look]}`}>
      {children}
    </p>
  );
}
