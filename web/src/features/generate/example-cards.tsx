// The example shots as cards with a drawing each: only somebody new at a wide screen sees them.
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { EXAMPLES } from './examples';

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
      <circle cx="112" cy="36" r="22" fill="#fff3d0" />
      <path
        d="M-4 66 8 26l12 40 10-52 13 52 9-38 10 38zM96 66l9-34 9 34 12-46 12 46 9-30 10 30 8-20v20z"
        fill="#5f8590"
      />
      <path d="M0 64c30-8 50-6 80-2s54 0 80-4v42H0z" fill="#f4f8fa" />
      <path d="M98 92c18 2 28-10 24-26-2-8-8-10-8-10s-2 12-10 18z" fill="#d9662c" />
      <path d="M122 66c-2-8-8-10-8-10s-1 7-5 12c4 3 9 2 13-2z" fill="#fbf3ea" />
      <path d="M62 94c-2-20 6-34 20-34s22 14 20 34z" fill="#d9662c" />
      <path d="M73 94c-1-14 3-22 9-22s10 8 9 22z" fill="#fbf3ea" />
      <path d="M62 30l4 22h32l4-22-12 9H74z" fill="#b94f1e" />
      <path d="M61 46c4-6 12-8 21-8s17 2 21 8L82 70z" fill="#d9662c" />
      <path d="M61 46c7 0 13 5 15 12l6 12zM103 46c-7 0-13 5-15 12l-6 12z" fill="#fbf3ea" />
      <circle cx="75" cy="51" r="1.8" fill="#241208" />
      <circle cx="89" cy="51" r="1.8" fill="#241208" />
      <path d="M79.5 66h5L82 70z" fill="#241208" />
      <g fill="#fff">
        <circle cx="52" cy="40" r="2" />
        <circle cx="58" cy="24" r="1.5" />
        <circle cx="106" cy="26" r="1.5" />
        <circle cx="84" cy="22" r="2" />
        <circle cx="112" cy="48" r="1.2" />
        <circle cx="46" cy="60" r="1.4" />
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
      <path
        d="M94 40c-4-6 4-8 0-16M106 40c-4-6 4-8 0-16"
        fill="none"
        stroke="#fff"
        strokeOpacity=".4"
        strokeWidth="2"
        strokeLinecap="round"
      />
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
              <svg
                viewBox="0 0 160 100"
                preserveAspectRatio="xMidYMid slice"
                className="size-full transition-transform duration-700 group-hover:scale-105"
                aria-hidden="true"
              >
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
