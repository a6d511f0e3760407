// Who is signed in, language, appearance, sign out: one small panel under one button.
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useId, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '../../components/button';
import { Icon } from '../../components/icon';
import { useAccount } from '../../queries';
import { closeSession } from '../../session';
import { LanguageChoice, ThemeChoice } from './choices';

export function SettingsMenu() {
  const { t } = useTranslation();
  const account = useAccount();
  const queries = useQueryClient();
  const [isOpen, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const panelId = useId();

  useEffect(() => {
    if (!isOpen) return;
    const closeOutside = (event: Event) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    const closeOnEscape = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return;
      setOpen(false);
      opener.current?.focus();
    };
    const events = ['pointerdown', 'focusin'] as const;
    for (const name of events) document.addEventListener(name, closeOutside);
    document.addEventListener('keydown', closeOnEscape);
    return () => {
      for (const name of events) document.removeEventListener(name, closeOutside);
      document.removeEventListener('keydown', closeOnEscape);
    };
  }, [isOpen]);

  const signOut = () => {
    closeSession();
    queries.clear();
  };
  return (
    <div ref={root} className="relative">
      <button
        ref={opener}
        type="button"
        aria-expanded={isOpen}
        aria-controls={panelId}
        aria-label={t('nav.settings')}
        onClick={() => setOpen(!isOpen)}
        className="grid size-11 place-items-center rounded-full bg-raised text-muted transition-colors hover:text-text aria-expanded:text-text"
      >
        <Icon name="person" />
      </button>
      <div
        id={panelId}
        hidden={!isOpen}
        className="absolute top-full right-0 z-30 mt-2 w-[min(20rem,calc(100vw-2rem))] animate-rise rounded-2xl border border-line bg-panel p-4 shadow-lift"
      >
        <p className="text-xs text-muted">{t('session.signedInAs')}</p>
        <p className="mb-4 truncate font-medium">{account.data?.email}</p>
        <div className="grid gap-4">
          <LanguageChoice />
          <ThemeChoice />
          <Button onClick={signOut}>{t('session.signOut')}</Button>
        </div>
      </div>
    </div>
  );
}
