// The way from the press to the result, with the present step marked.
import { useTranslation } from 'react-i18next';
import { Icon } from '../../components/icon';
import { STEPS, type Step } from './stages';

interface Props {
  current: Step;
  hasUpload: boolean;
}

export function Steps({ current, hasUpload }: Props) {
  const { t } = useTranslation();
  const names: Record<Step, string> = {
    upload: t('job.stepUpload'),
    queue: t('job.stepQueue'),
    make: t('job.stepMake'),
    store: t('job.stepStore'),
    ready: t('job.stepReady'),
  };
  const steps = STEPS.filter((step) => hasUpload || step !== 'upload');
  const at = steps.indexOf(current);
  return (
    <ol aria-label={t('job.steps')} className="flex gap-2">
      {steps.map((step, index) => {
        const isDone = index < at || current === 'ready';
        const isCurrent = index === at && !isDone;
        return (
          <li key={step} aria-current={isCurrent ? 'step' : undefined} className="min-w-0 flex-1">
            <span
              className={`block h-1 rounded-full ${isDone ? 'bg-mint' : isCurrent ? 'animate-breathe bg-mint' : 'bg-line'}`}
            />
            <span
              className={`mt-1.5 flex items-center gap-1 truncate text-2xs font-medium sm:text-xs ${isCurrent ? 'text-text' : 'text-muted'}`}
            >
              {isDone && <Icon name="check" className="hidden size-3.5 text-mint-text sm:block" />}
              {names[step]}
            </span>
          </li>
        );
      })}
    </ol>
  );
}
