// Several results: all of them small, to see one large. Radio buttons, so arrow keys walk through them.
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Result } from '../../api';
import { Icon } from '../../components/icon';

interface Props {
  results: readonly Result[];
  index: number;
  onPick: (index: number) => void;
}

export function ResultStrip({ results, index, onPick }: Props) {
  const { t } = useTranslation();
  const name = useId();
  return (
    <fieldset className="mt-3 min-w-0">
      <legend className="sr-only">{t('job.results')}</legend>
      <div className="scroll-quiet -mx-1 flex gap-2 overflow-x-auto p-1">
        {results.map((result, at) => (
          <label
            key={result.filename}
            className="relative h-16 shrink-0 cursor-pointer overflow-hidden rounded-xl border border-line bg-stage opacity-75 transition-opacity hover:opacity-100 has-checked:border-mint has-checked:opacity-100 has-checked:ring-2 has-checked:ring-mint has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-mint-text"
            style={{ aspectRatio: result.width / result.height }}
          >
            <input
              type="radio"
              name={name}
              checked={at === index}
              aria-label={t('job.resultOf', { number: at + 1, count: results.length })}
              onChange={() => onPick(at)}
              className="absolute inset-0 z-10 cursor-pointer appearance-none outline-none"
            />
            <Thumbnail url={result.thumbnail_url} />
            <span className="nums absolute bottom-1 left-1 rounded-md bg-black/65 px-1.5 text-2xs font-semibold text-white">
              {at + 1}
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** Addresses run out; one that works is kept, or every read of the job would make the picture blink. */
function Thumbnail({ url }: { url: string }) {
  const [shown, setShown] = useState(url);
  const [broken, setBroken] = useState<string | null>(null);
  if (shown === broken && url !== shown) setShown(url);
  return shown === broken ? (
    <span className="grid size-full place-items-center text-muted">
      <Icon name="image" />
    </span>
  ) : (
    <img src={shown} alt="" onError={() => setBroken(shown)} className="size-full object-cover" />
  );
}
