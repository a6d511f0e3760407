// Three shots to try, for somebody who has made nothing yet.
import { useTranslation } from 'react-i18next';

export const EXAMPLES = ['boat', 'fox', 'tea'] as const;

/** In one line, where there is no room for cards. */
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
