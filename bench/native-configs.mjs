/** Owns the configuration files of the proxies that are not Node.js: one worker, everything else as it comes. */

const LARGE_BUFFER = 65_536;

const root = process.getuid?.() === 0;

function nginxHead(files, folder) {
  // When fewer than a sixteenth of these are free, nginx closes clients whose request it has not read yet, and the limit of open
  // files is nearly reached here: so there are more than files.
  const connections = Math.ceil((files * 9) / 8);
  // A worker that gave up root could not write to the temporary folder.
  return `${root ? 'user root;\n' : ''}daemon off;
worker_processes 1;
worker_rlimit_nofile ${files};
pid ${folder}/nginx.pid;
error_log stderr error;
events { worker_connections ${connections}; }
`;
}

function nginxTls(tls) {
  if (tls === undefined) return '';
  // Older ones offer 1.3 only when asked.
  return ` ssl;
    ssl_protocols TLSv1.3;
    ssl_certificate ${tls.cert};
    ssl_certificate_key ${tls.key}`;
}

export function nginx({ port, target, tls, folder, files, large }) {
  const secured = nginxTls(tls);
  const buffers = `proxy_buffer_size 64k;\n      proxy_buffers 4 64k;\n      proxy_busy_buffers_size 128k;`;
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `${nginxHead(files, folder)}http {
  access_log off;
${paths.map((name) => `  ${name}_temp_path ${folder}/${name};`).join('\n')}
  server {
    listen 127.0.0.1:${port}${secured};
    location / {
      proxy_pass http://127.0.0.1:${target};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
      proxy_read_timeout 1h;
      ${large ? buffers : ''}
    }
  }
}
`;
}

export function nginxStream({ port, target, tls, folder, files, module }) {
  const secured = nginxTls(tls);
  return `${module === undefined ? '' : `load_module ${module};\n`}${nginxHead(files, folder)}stream {
  server {
    listen 127.0.0.1:${port}${secured};
    proxy_pass 127.0.0.1:${target};
    proxy_timeout 1h;
  }
}
`;
}

export function haproxy({ port, target, tls, files, large }) {
  return `global
  nbthread 1
  maxconn ${Math.floor((files - 200) / 2)}
${large ? `  tune.bufsize ${LARGE_BUFFER}\n` : ''}
defaults
  mode http
  timeout connect 5s
  timeout client 1m
  timeout server 1m
  timeout tunnel 1h

frontend clients
  bind 127.0.0.1:${port}${tls === undefined ? '' : ` ssl crt ${tls.both}`}
  default_backend targets

backend targets
  server one 127.0.0.1:${target}
`;
}

export function caddy({ port, target, tls }) {
  return `{
  admin off
  auto_https off
  log {
    level ERROR
  }
}

${tls === undefined ? 'http' : 'https'}://:${port} {
  bind 127.0.0.1
${tls === undefined ? '' : `  tls ${tls.cert} ${tls.key}\n`}  reverse_proxy 127.0.0.1:${target}
}
`;
}
