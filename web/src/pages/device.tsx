import type { DeviceCodePage, DeviceConfirmPage, DeviceDonePage } from '../page.ts';
import { Field } from '../parts/field.tsx';
import { Frame, ProblemNote, UnverifiedNote } from '../parts/frame.tsx';
import { PageForm, Submit } from '../parts/page-form.tsx';
import { texts } from '../texts.ts';
import { headingOf } from '../title-of.ts';

const { deviceCode, deviceConfirm, deviceDone } = texts;

export function DeviceCode({ page }: { page: DeviceCodePage }) {
  const { form, userCode, problem } = page;
  return (
    <Frame heading={headingOf(page)} lead={deviceCode.lead}>
      <ProblemNote problem={problem} id="problem" />
      <PageForm form={form} className="stack">
        <Field
          name="user_code"
          label={deviceCode.code}
          className="code"
          autoComplete="off"
          autoCapitalize="characters"
          autoCorrect="off"
          spellCheck={false}
          autoFocus
          required
          maxLength={40}
          defaultValue={userCode}
          hint={deviceCode.warning}
          problem={problem}
        />
        <Submit>{deviceCode.submit}</Submit>
      </PageForm>
    </Frame>
  );
}

export function DeviceConfirm({ page }: { page: DeviceConfirmPage }) {
  const { form, application, userCode } = page;
  return (
    <Frame heading={headingOf(page)} lead={deviceConfirm.lead} application={application}>
      <p className="code shown">{userCode}</p>
      <UnverifiedNote application={application} />
      <PageForm form={form} className="stack">
        <p>{deviceConfirm.warning}</p>
        <div className="choices">
          <Submit decision="confirm">{deviceConfirm.confirm}</Submit>
          <Submit kind="other" decision="deny">
            {deviceConfirm.deny}
          </Submit>
        </div>
      </PageForm>
    </Frame>
  );
}

export function DeviceDone({ page }: { page: DeviceDonePage }) {
  return (
    <Frame heading={headingOf(page)} lead={deviceDone[page.outcome].detail} application={page.application} />
  );
}
