// Three shots to try, for somebody who has made nothing yet.
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

const EXAMPLES = ['boat', 'fox', 'tea'] as const;

const SCENES: Record<(typeof EXAMPLES)[number], ReactNode> = {
  boat: (
    <>
      <rect width="160" height="100" fill="#141b3c" />
      <rect x="18" y="8" width="16" height="52" fill="#3a2b6b" />
      <rect x="44" y="0" width="22" height="60" fill="#29235a" />
      <rect x="104" y="4" width="26" height="56" fill="#33265f" />
      <rect x="49" y="14" width="4" height="30" fill="#ff6fae" />
      <rect x="112" y="16" width="9" height="5" fill="#5fe8bf" />
      <rect x="22" y="22" width="7" height="4" fill="#ffc66d" />
      <rect y="60" width="160" height="40" fill="#0d1230" />
      <path d="M47 100V60h8v40zM113 100V60h7v40z" fill="#5fe8bf" opacity=".18" />
      <path d="M60 74h40l-8 10H68zM80 56l14 18H66z" fill="#f3f1ea" />
      <path d="M80 56v18h14z" fill="#cfcbbd" />
      <path d="M30 88h34M92 90h42M20 96h22" stroke="#7f8de0" opacity=".5" />
    </>
  ),
  fox: (
    <>
      <rect width="160" height="100" fill="#bcd3df" />
      <circle cx="118" cy="34" r="20" fill="#fff3d0" />
      <path d="M0 62 12 30l12 32 12-40 14 40 10-28 12 28 14-36 12 36 14-30 12 30 12-24 14 24 8-16v54H0z" fill="#5f8590" />
      <rect y="66" width="160" height="34" fill="#f4f8fa" />
      <path d="M56 84c0-16 12-22 24-22 8 0 14 4 18 10l12 2-8 8c-2 6-8 8-14 8H62c-10 0-22-2-24-10 6 4 12 4 18 4z" fill="#d9662c" />
      <path d="m92 66 4-12 7 9zM104 68l8-9 1 13z" fill="#b94f1e" />
      <path d="M38 80c6 4 12 5 18 4l-4 8c-8-2-13-6-14-12z" fill="#fbf3ea" />
      <g fill="#fff">
        <circle cx="70" cy="52" r="2" />
        <circle cx="84" cy="46" r="1.5" />
        <circle cx="60" cy="44" r="1.5" />
        <circle cx="100" cy="44" r="2" />
        <circle cx="76" cy="36" r="1.2" />
      </g>
    </>
  ),
  tea: (
    <>
      <rect width="160" height="100" fill="#2c1a10" />
      <path d="M0 0h64L24 100H0z" fill="#c98638" opacity=".35" />
      <rect y="78" width="160" height="22" fill="#4b2d19" />
      <path d="M26 22c10-10 36-10 44 2l14-6-6 16c2 12-6 20-28 20S22 40 26 22z" fill="#d9a441" />
      <path d="M38 12h18l-4-8h-10z" fill="#b98329" />
      <path d="M84 20c10 4 14 14 14 26" fill="none" stroke="#a9d18a" strokeWidth="2.5" />
      <path d="M84 46h30l-4 34H88z" fill="#dff1d6" opacity=".35" />
      <path d="M86 58h26l-3 22H89z" fill="#7fb35a" opacity=".9" />
      <path d="M94 54c4-4 10-3 12 0-3 5-9 5-12 0z" fill="#5fe8bf" />
      <path d="M94 40c-4-6 4-8 0-16M106 40c-4-6 4-8 0-16" fill="none" stroke="#fff" strokeOpacity=".4" strokeWidth="2" strokeLinecap="round" />
    </>
  ),
};

export function ExampleCards({ onPick }: { onPick: (prompt: string) => void }) {
  const { t } = useTranslation();
  return (
    <ul className="grid gap-4 sm:grid-cols-3">
      {EXAMPLES.map((name) => (
        <li key={name}>
          <button
            type="button"
            onClick={() => onPick(t(`examples.${name}`))}
            className="group flex h-full w-full flex-col overflow-hidden rounded-2xl border border-line bg-panel text-left transition-colors hover:border-mint-text"
          >
            <span className="block aspect-[16/10] overflow-hidden">
              <svg viewBox="0 0 160 100" preserveAspectRatio="xMidYMid slice" className="size-full transition-transform duration-700 group-hover:scale-105" aria-hidden="true">
                {SCENES[name]}
              </svg>
            </span>
            <span className="block p-4">
              <span className="block font-semibold">{t(`examples.${name}Title`)}</span>
              <span className="mt-1 line-clamp-3 text-sm text-muted">{t(`examples.${name}`)}</span>
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}

/** The same three in one line, where there is no room for cards. */
export function ExampleChips({ onPick }: { onPick: (prompt: string) => void }) {
  const { t } = useTranslation();
  return (
    <div className="flex flex-wrap items-center gap-2">
      <span className="text-xs text-muted">{t('form.tryMe')}</span>
      {EXAMPLES.map((name) => (
        <button
          key={name}
          type="button"
          onClick={() => onPick(t(`examples.${name}`))}
          className="min-h-9 rounded-full border border-line px-3 text-sm font-medium hover:border-mint-text hover:text-mint-text"
        >
          {t(`examples.${name}Title`)}
        </button>
      ))}
    </div>
  );
}
