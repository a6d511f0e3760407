// What a job is called: its prompt, or its model where the model takes no words.
import type { Job } from './api';
import { useModels } from './queries';

export function useSubject(): (job: Job) => string {
  const models = useModels();
  return (job) => job.prompt || modelName(job.model);

  function modelName(id: string): string {
    return models.data?.find((model) => model.id === id)?.name ?? id;
  }
}
