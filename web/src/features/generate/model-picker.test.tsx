import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { describe, expect, it } from 'vitest';
import type { Model } from '../../api';
import { aModel } from '../../test/fake-backend';
import { show } from '../../test/show';
import { ModelPicker } from './model-picker';

const MODELS = [
  aModel(
    { id: 'hailuo', name: 'Hailuo 02', provider: 'minimax', price_from_tokens: 30 },
    { images: { start: 'required' } },
  ),
  aModel({ id: 'template', name: 'Template: Diving', provider: 'minimax' }, { prompt_chars_max: 0 }),
  aModel(
    { id: 'kling', name: 'Kling 2.6', provider: 'kling', price_from_tokens: 25, expected_seconds: 230 },
    { audio: true },
  ),
  aModel({
    id: 'old',
    name: 'GPT Image 1.5',
    provider: 'openai',
    state: 'retiring',
    retires_on: '2026-12-01',
    successor: 'kling',
  }),
  aModel({ id: 'gone', name: 'Veo 3.1', provider: 'gemini', state: 'retired', successor: 'kling' }),
  aModel({ id: 'off', name: 'Runway Gen-4.5', provider: 'runway', state: 'off' }),
];

function Picker({ first, replaced }: { first: string; replaced: Model | null }) {
  const [id, setId] = useState(first);
  const [isOpen, setOpen] = useState(false);
  const chosen = MODELS.find((model) => model.id === id) ?? null;
  return (
    <ModelPicker
      models={MODELS}
      chosen={chosen}
      replaced={replaced}
      isOpen={isOpen}
      onOpen={setOpen}
      onChoose={setId}
    />
  );
}

const opener = () => screen.getByRole('button', { name: /^Model: / });
const sheet = () => screen.getByRole('dialog', { name: 'Video models' });
const offers = () =>
  within(sheet())
    .getAllByRole('radio')
    .map((radio) => radio.closest('label')?.textContent);
const search = () => within(sheet()).getByRole('searchbox', { name: 'Find a model' });

async function open(first = 'hailuo', replaced: Model | null = null): Promise<void> {
  show(<Picker first={first} replaced={replaced} />);
  await userEvent.click(opener());
  await within(sheet()).findByRole('searchbox');
}

describe('the list of models', () => {
  it('has what is sold by provider, each with its least price and what to know', async () => {
    await open();
    expect(
      within(sheet())
        .getAllByRole('group')
        .map((shelf) => shelf.getAttribute('aria-label')),
    ).toEqual(['Kling AI', 'MiniMax', 'OpenAI']);
    expect(offers()).toEqual([
      'Kling 2.6about 4 min · 2–4 s · soundfrom 25 tokens',
      'Hailuo 02about 8 sec · 2–4 s · needs a picturefrom 30 tokens',
      'Template: Divingabout 8 sec · 2–4 s · no promptfrom 20 tokens',
      'GPT Image 1.5about 8 sec · 2–4 sGoes away on Dec 1, 2026.from 20 tokens',
    ]);
    expect(within(sheet()).getByRole('radio', { name: /Hailuo 02/ })).toBeChecked();
  });

  it('is narrowed by words and by provider, and says how many are left', async () => {
    await open();
    await userEvent.selectOptions(within(sheet()).getByRole('combobox', { name: 'Provider' }), 'MiniMax');
    expect(offers()).toHaveLength(2);
    await userEvent.type(search(), 'template');
    expect(offers()).toHaveLength(1);
    expect(within(sheet()).getByRole('status')).toHaveTextContent('1 model');
    await userEvent.type(search(), ' nonsense');
    expect(within(sheet()).getByText('No model like that can be used here.')).toBeInTheDocument();
  });

  it('says what became of a model that is not sold, and what there is instead', async () => {
    await open();
    expect(within(sheet()).queryByText('Veo 3.1')).not.toBeInTheDocument();
    await userEvent.type(search(), 'veo');
    const missed = within(sheet()).getByRole('region', { name: 'Not for sale' });
    expect(missed).toHaveTextContent('Veo 3.1Google Gemini · retired by its provider');
    expect(within(sheet()).queryByRole('radio')).not.toBeInTheDocument();
    await userEvent.clear(search());
    await userEvent.type(search(), 'gen-4.5');
    expect(sheet()).toHaveTextContent('Runway Gen-4.5Runway · not available now');
    await userEvent.clear(search());
    await userEvent.type(search(), 'veo');
    await userEvent.click(within(sheet()).getByRole('button', { name: 'Take Kling 2.6' }));
    expect(opener()).toHaveAccessibleName('Model: Kling 2.6. Change model');
  });

  it('is used with the keyboard alone', async () => {
    await open();
    await userEvent.type(search(), 'minimax{ArrowDown}');
    expect(within(sheet()).getByRole('radio', { name: /Hailuo 02/ })).toHaveFocus();
    await userEvent.keyboard('{ArrowDown}');
    expect(within(sheet()).getByRole('radio', { name: /Template/ })).toBeChecked();
    await userEvent.keyboard('{Enter}');
    expect(screen.queryByRole('dialog')).not.toBeInTheDocument();
    expect(opener()).toHaveAccessibleName('Model: Template: Diving. Change model');
  });

  it('takes the first one that was found when Enter is pressed', async () => {
    await open();
    await userEvent.type(search(), 'kling{Enter}');
    expect(opener()).toHaveAccessibleName('Model: Kling 2.6. Change model');
  });
});

describe('the chosen model', () => {
  it('says until when it is sold and what comes after it', async () => {
    await open('old');
    expect(opener()).toHaveAccessibleDescription('Goes away on Dec 1, 2026. After it: Kling 2.6.');
  });

  it('says in whose place it stands', async () => {
    await open('kling', MODELS[4] ?? null);
    expect(opener()).toHaveAccessibleDescription('Veo 3.1 is not for sale any more; this is Kling 2.6.');
  });
});
