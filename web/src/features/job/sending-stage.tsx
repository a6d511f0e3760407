// The stage before there is a job: the picture travels, or the request does.
import { useTranslation } from 'react-i18next';
import { useTitle } from '../../components/use-title';
import { Developing } from './developing';
import { StageFrame } from './stage-frame';
import { Steps } from './steps';

interface Props {
  /** Percent of the picture that has gone out; null when the request itself is being sent. */
  uploadPercent: number | null;
}

export function SendingStage({ uploadPercent }: Props) {
  const { t } = useTranslation();
  const isUploading = uploadPercent !== null;
  const line = !isUploading ? t('job.sending') : uploadPercent < 100 ? t('job.uploading') : t('job.checking');
  useTitle(line);
  return (
    <section aria-label={t('job.label')}>
      <StageFrame shape={16 / 9}>
        <Developing
          percent={uploadPercent ?? 0}
          figure={isUploading ? `${uploadPercent} %` : null}
          isWaiting={!isUploading}
        />
      </StageFrame>
      <div className="mt-5 grid gap-4">
        <div>
          <h2 role="status" className="text-xl font-semibold">
            {line}
          </h2>
          {isUploading && <p className="mt-1 text-sm text-muted">{t('job.stayNote')}</p>}
        </div>
        <Steps current={isUploading ? 'upload' : 'queue'} hasUpload={isUploading} />
      </div>
    </section>
  );
}
