// The title of the tab, which also tells from another tab how the job is doing.
import { useEffect } from 'react';

const NAME = 'Reelmint';

export function useTitle(title: string | null): void {
  useEffect(() => {
    document.title = title === null ? NAME : `${title} · ${NAME}`;
    return () => {
      document.title = NAME;
    };
  }, [title]);
}
