// The result itself: a native player, or the picture.
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Job, Result } from '../../api';
import { Button } from '../../components/button';

interface Props {
  kind: Job['kind'];
  result: Result;
  /** What it is called for somebody who cannot see it. */
  name: string;
  /** The signed address does not work any more. */
  onExpired: () => void;
}

export function ResultView({ kind, result, name, onExpired }: Props) {
  const fresh = result.content_url;
  // Addresses change with every read of the job; a player that has one that works keeps it, or it would start anew.
  const [shown, setShown] = useState(fresh);
  const [broken, setBroken] = useState<string | null>(null);
  if (shown !== fresh && shown === broken) setShown(fresh);
  if (shown === broken && shown === fresh) return <Missing onRetry={onExpired} />;
  const fail = () => {
    // The first time it has just run out, and a new one is asked for; after that, only when the person says so.
    if (broken === null) onExpired();
    setBroken(shown);
  };
  if (kind === 'image') {
    return (
      <img src={shown} alt={name} onError={fail} className="absolute inset-0 size-full animate-rise object-contain" />
    );
  }
  return (
    // eslint-disable-next-line jsx-a11y/media-has-caption -- a generated shot has no words to caption
    <video
      src={shown}
      poster={result.thumbnail_url}
      controls
      playsInline
      loop
      preload="metadata"
      aria-label={name}
      onError={fail}
      className="absolute inset-0 size-full animate-rise object-contain"
    />
  );
}

function Missing({ onRetry }: { onRetry: () => void }) {
  const { t } = useTranslation();
  return (
    <div
      role="status"
      className="absolute inset-0 grid place-content-center justify-items-center gap-3 p-4 text-center"
    >
      <p>{t('job.resultMissing')}</p>
      <Button size="sm" onClick={onRetry}>
        {t('app.retry')}
      </Button>
    </div>
  );
}
