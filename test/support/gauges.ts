/** The figures of `/metrics`, for a gateway whose config gives everybody `admin`. */

/** Anything that can be asked for a path. */
interface Asked {
  get(path: string): Promise<Response>;
}

/** Every figure by its name without the prefix; those with labels by name and labels. */
export async function readMetrics(gateway: Asked): Promise<ReadonlyMap<string, number>> {
  const response = await gateway.get('/metrics');
  const text = await response.text();
  if (response.status !== 200) throw new Error(`/metrics answers ${response.status}: ${text}`);
  const figures = text.matchAll(/^sse_gateway_(\S+) (\S+)$/gm);
  return new Map([...figures].map(([, name = '', value]) => [name, Number(value)]));
}

/** One of them; throws where there is none of that name. */
export async function metric(gateway: Asked, name: string): Promise<number> {
  const value = (await readMetrics(gateway)).get(name);
  if (value === undefined) throw new Error(`/metrics has no ${name}`);
  return value;
}
