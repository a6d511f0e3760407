// What can be done with a job that is over: save it, make it again, take it away.
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Job, Result } from '../../api';
import { Button } from '../../components/button';
import { ConfirmDialog } from '../../components/confirm-dialog';
import { say } from '../../components/say';
import { explainError } from '../../i18n/coded';
import { useDeleteJob } from '../../queries';
import { saveResults } from './save-results';
import { remedyFor } from './stages';

export type Again = (job: Job, focus: 'prompt' | 'generate' | 'model') => void;

interface Props {
  job: Job;
  /** The result that is on the screen. */
  shown: Result | null;
  onAgain: Again;
  onDeleted: () => void;
}

export function JobActions({ job, shown, onAgain, onDeleted }: Props) {
  const { t } = useTranslation();
  const remedy = remedyFor(job);
  const again = (
    <Button icon="again" look={remedy === 'again' ? 'primary' : 'secondary'} onClick={() => onAgain(job, 'generate')}>
      {t('job.again')}
    </Button>
  );
  const edit = job.prompt !== '' && (
    <Button icon="pencil" look={remedy === 'prompt' ? 'primary' : 'secondary'} onClick={() => onAgain(job, 'prompt')}>
      {t('job.editAgain')}
    </Button>
  );
  return (
    <div className="flex flex-wrap items-center gap-2">
      {shown !== null && <Download results={[shown]} look="primary" label={t('job.download')} />}
      {job.results.length > 1 && (
        <Download results={job.results} look="secondary" label={t('job.downloadAll', { number: job.results.length })} />
      )}
      {remedy === 'model' && (
        <Button look="primary" onClick={() => onAgain(job, 'model')}>
          {t('job.otherModel')}
        </Button>
      )}
      {remedy === 'prompt' && edit}
      {again}
      {remedy !== 'prompt' && edit}
      <Delete job={job} onDeleted={onDeleted} />
    </div>
  );
}

interface DownloadProps {
  results: readonly Result[];
  look: 'primary' | 'secondary';
  label: string;
}

function Download({ results, look, label }: DownloadProps) {
  const { t } = useTranslation();
  const [isSaving, setSaving] = useState(false);
  const save = () => {
    setSaving(true);
    saveResults(results)
      .catch(() => say(t('job.resultMissing'), 'error'))
      .finally(() => setSaving(false));
  };
  return (
    <Button look={look} icon="down" isDisabled={isSaving} onClick={save}>
      {isSaving ? t('job.downloading') : label}
    </Button>
  );
}

function Delete({ job, onDeleted }: Pick<Props, 'job' | 'onDeleted'>) {
  const { t } = useTranslation();
  const [isAsking, setAsking] = useState(false);
  const remove = useDeleteJob();
  const confirm = () => {
    setAsking(false);
    remove.mutate(job.id, {
      onSuccess: () => {
        say(t('job.deleted'));
        onDeleted();
      },
      onError: (error) => say(explainError(t, error).what, 'error'),
    });
  };
  return (
    <>
      <Button
        look="ghost"
        icon="trash"
        className="sm:ml-auto"
        isDisabled={remove.isPending}
        onClick={() => setAsking(true)}
      >
        {t('job.delete')}
      </Button>
      <ConfirmDialog
        isOpen={isAsking}
        title={t('job.deleteTitle')}
        text={t('job.deleteText')}
        yes={t('job.deleteYes')}
        no={t('job.deleteNo')}
        onYes={confirm}
        onClose={() => setAsking(false)}
      />
    </>
  );
}
