// A panel over the page: the whole screen of a phone, a window on a laptop. The native dialog keeps focus inside, closes
// on Escape, and gives focus back.
import { useEffect, useId, useRef, type ReactNode } from 'react';
import { createPortal } from 'react-dom';
import { Icon } from './icon';

interface Props {
  isOpen: boolean;
  title: string;
  close: string;
  onClose: () => void;
  children: ReactNode;
}

/** It stands beside the page, not in it, so that Enter in one of its fields does not send the form that opened it. */
export function Sheet({ isOpen, title, close, onClose, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen]);
  return createPortal(
    <dialog
      ref={dialog}
      closedby="any"
      onClose={onClose}
      aria-labelledby={titleId}
      className="m-0 hidden size-full max-h-none max-w-none flex-col bg-panel text-text backdrop:bg-black/60 open:flex sm:m-auto sm:h-[min(42rem,88dvh)] sm:w-[min(38rem,calc(100vw-3rem))] sm:rounded-2xl sm:border sm:border-line sm:shadow-lift"
    >
      <div className="flex items-center gap-3 py-2 pr-2 pl-4 sm:pl-6">
        <h2 id={titleId} className="flex-1 text-lg font-semibold">
          {title}
        </h2>
        <button
          type="button"
          aria-label={close}
          onClick={onClose}
          className="grid size-11 place-items-center rounded-lg text-muted hover:bg-raised hover:text-text"
        >
          <Icon name="close" />
        </button>
      </div>
      {isOpen && children}
    </dialog>,
    document.body,
  );
}
