// What the providers call themselves. One that is newer than this page goes by its id.
import type { Model } from '../../api';

const NAMES: Partial<Record<string, string>> = {
  edenai: 'Eden AI',
  fal: 'fal',
  gemini: 'Google Gemini',
  kling: 'Kling AI',
  minimax: 'MiniMax',
  modelslab: 'ModelsLab',
  openai: 'OpenAI',
  replicate: 'Replicate',
  runway: 'Runway',
  sandbox: 'Sandbox',
  stability: 'Stability AI',
};

export function providerName(provider: string): string {
  return NAMES[provider] ?? provider.charAt(0).toUpperCase() + provider.slice(1);
}

/** What a model is called where its provider stands beside it: several sell the same one, and their names say whose. */
export function shortName({ name, provider }: Model): string {
  return name.replace(` (${providerName(provider)})`, '');
}
