// Shows what is folded away until somebody wants it.
import type { ReactNode } from 'react';
import { Button } from './button';

export function UnfoldButton({ onClick, children }: { onClick: () => void; children: ReactNode }) {
  return (
    <div className="basis-full">
      <Button look="ghost" size="sm" icon="plus" className="-ml-3 max-w-full" onClick={onClick}>
        <span className="truncate">{children}</span>
      </Button>
    </div>
  );
}
