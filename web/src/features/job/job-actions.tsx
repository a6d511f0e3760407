// What can be done with a job that is over: save it, make it again, take it away.
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Job } from '../../api';
import { Button } from '../../components/button';
import { ConfirmDialog } from '../../components/confirm-dialog';
import { say } from '../../components/say';
import { explainError } from '../../i18n/coded';
import { useDeleteJob } from '../../queries';
import { saveResult } from './save-result';

interface Props {
  job: Job;
  onAgain: (job: Job, focus: 'prompt' | 'generate') => void;
  onDeleted: () => void;
}

export function JobActions({ job, onAgain, onDeleted }: Props) {
  const { t } = useTranslation();
  return (
    <div className="flex flex-wrap items-center gap-2">
      {job.result !== null && <Download result={job.result} />}
      <Button icon="again" onClick={() => onAgain(job, 'generate')}>
        {t('job.again')}
      </Button>
      <Button icon="pencil" onClick={() => onAgain(job, 'prompt')}>
        {t('job.editAgain')}
      </Button>
      <Delete job={job} onDeleted={onDeleted} />
    </div>
  );
}

function Download({ result }: { result: NonNullable<Job['result']> }) {
  const { t } = useTranslation();
  const [isSaving, setSaving] = useState(false);
  const save = () => {
    setSaving(true);
    saveResult(result.content_url, result.filename)
      .catch(() => say(t('job.resultMissing'), 'error'))
      .finally(() => setSaving(false));
  };
  return (
    <Button look="primary" icon="down" isDisabled={isSaving} onClick={save}>
      {isSaving ? t('job.downloading') : t('job.download')}
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
