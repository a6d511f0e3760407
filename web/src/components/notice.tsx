// A message that stays: what happened, what it means for the tokens, what to do.
import type { ReactNode } from 'react';
import { Icon, type IconName } from './icon';

const LOOKS = {
  bad: 'bg-rose-wash text-rose',
  warn: 'bg-amber-wash text-amber',
  good: 'bg-mint-wash text-mint-text',
} as const;
const ICONS: Record<keyof typeof LOOKS, IconName> = { bad: 'warn', warn: 'warn', good: 'check' };

interface Props {
  look: keyof typeof LOOKS;
  title: string;
  children?: ReactNode;
  actions?: ReactNode;
  role?: 'alert' | 'status';
}

export function Notice({ look, title, children, actions, role }: Props) {
  return (
    <div role={role} className={`flex gap-3 rounded-xl p-3.5 ${LOOKS[look]}`}>
      <Icon name={ICONS[look]} className="mt-0.5 size-5" />
      <div className="min-w-0 flex-1">
        <p className="font-semibold">{title}</p>
        {children !== undefined && <div className="mt-0.5 text-sm text-text">{children}</div>}
        {actions !== undefined && <div className="mt-3 flex flex-wrap gap-2">{actions}</div>}
      </div>
    </div>
  );
}
