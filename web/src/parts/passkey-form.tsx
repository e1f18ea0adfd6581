import { useRef, useState, type ReactNode } from 'react';
import type { PasskeyCall, PasskeyCreation } from '../security-pages.ts';
import { askPasskey, createPasskey, hasPasskeys } from '../passkeys.ts';
import { texts } from '../texts.ts';
import { PageForm } from './page-form.tsx';

type Call = ({ kind: 'get' } & PasskeyCall) | ({ kind: 'create' } & PasskeyCreation);

/** A form that a passkey fills in and sends. Passkeys need JavaScript: without it, it is not there. */
export function PasskeyForm({ call, fields, children }: PasskeyFormProps) {
  const [problem, setProblem] = useState<string | null>(null);
  const answer = useRef<HTMLInputElement>(null);
  const isAsking = useRef(false);
  const ask = async (field: HTMLInputElement) => {
    if (isAsking.current) return;
    setProblem(null);
    if (!hasPasskeys()) return setProblem(texts.passkey.unavailable);
    isAsking.current = true;
    try {
      field.value = call.kind === 'get' ? await askPasskey(call) : await createPasskey(call);
      field.form?.requestSubmit();
    } catch {
      setProblem(texts.passkey.failed);
    } finally {
      // What has been sent is good for once: who comes back to the page is asked again.
      field.value = '';
      isAsking.current = false;
    }
  };
  const isAnswered = () => {
    const field = answer.current;
    if (field && field.value === '') void ask(field);
    return field !== null && field.value !== '';
  };
  return (
    <div className="needs-script">
      <PageForm form={call.form} className="stack" isReady={isAnswered}>
        {fields}
        <input ref={answer} type="hidden" name="passkey" defaultValue="" />
        <button type="submit" className="button other">
          {children}
        </button>
        <p className="refusal" role="alert" hidden={problem === null}>
          {problem}
        </p>
      </PageForm>
    </div>
  );
}

type PasskeyFormProps = { call: Call; fields?: ReactNode; children: ReactNode };
