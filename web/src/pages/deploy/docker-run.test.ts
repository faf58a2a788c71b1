import { describe, expect, test } from 'vitest';
import { megabytesOf, readDockerRun } from './docker-run';
import { descriptionOf } from './form';

function read(line: string) {
  const found = readDockerRun(line);
  if (!found) throw new Error(`not read: ${line}`);
  return { ...found, image: descriptionOf(found.form) };
}

describe('a docker run line', () => {
  test('fills in the form', () => {
    const line = `docker run -d --name shop -p 8080:80 -p 127.0.0.1:53:53/udp -e A=1 --env 'B=two words' -v data:/data
      --memory=1g --cpus 0.5 --restart on-failure:3 --network host --hostname h --entrypoint /bin/x registry.lan/shop:3 serve --all`;
    const { name, image, ignored } = read(line);
    expect(name).toBe('shop');
    expect(ignored).toEqual([]);
    expect(image).toEqual({
      name: 'registry.lan/shop:3',
      cpus: 0.5,
      memory: 1024,
      args: ['serve', '--all'],
      entrypoint: ['/bin/x'],
      bind_ports: [
        { container_port: 80, port: 8080 },
        { container_port: 53, port: 53, proto: 'udp', host_ip: '127.0.0.1' },
      ],
      environment: { A: '1', B: 'two words' },
      volumes: ['data:/data'],
      restart_policy: { name: 'on-failure', maximum_retry_count: 3 },
      network_mode: 'host',
      hostname: 'h',
    });
  });

  test.each([
    ['docker run httpd', 'httpd'],
    ['$ sudo docker run --rm -it httpd:2.4', 'httpd:2.4'],
    ['podman run -dit httpd', 'httpd'],
    ['docker container run httpd', 'httpd'],
    ['docker run -p80:80 -- httpd', 'httpd'],
  ])('%s runs %s', (line, image) => {
    expect(read(line).image.name).toBe(image);
  });

  test.each(['', 'httpd', 'docker ps', 'docker run', 'docker run -d', 'run httpd', 'docker compose up run'])(
    '%j is none',
    (line) => {
      expect(readDockerRun(line)).toBeUndefined();
    },
  );

  test('tells what it does not take over', () => {
    const { ignored } = read('docker run --privileged --gpus all --network mynet -e FROM_HOST --memory lots httpd');
    expect(ignored).toEqual(['--privileged', '--gpus all', '--network mynet', '-e FROM_HOST', '--memory lots']);
  });

  test('publishes all ports, and a port without one of the host', () => {
    const { form, image } = read('docker run -P -p 80 -p :443 -p [::1]:8080:80 httpd');
    expect(form.publish).toBe(true);
    expect(image.bind_ports).toEqual([
      { container_port: 80 },
      { container_port: 443 },
      { container_port: 80, port: 8080, host_ip: '::1' },
    ]);
  });

  test('what "unless stopped" means is always here', () => {
    expect(read('docker run --restart unless-stopped httpd').form.restart).toBe('always');
  });
});

test.each([
  ['512m', 512],
  ['1g', 1024],
  ['1.5G', 1536],
  ['1073741824', 1024],
  ['100k', 1],
  ['64MB', 64],
  ['x', undefined],
])('%s is %s MB', (text, megabytes) => {
  expect(megabytesOf(text)).toBe(megabytes);
});
