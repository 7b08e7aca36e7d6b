# frozen_string_literal: true

require "rails_helper"
require "new_app"
require "net/http"

# A new application in Puma's cluster mode with preload: the master has made a call before it forks.
class TestCluster < PrivyTest
  FILES = {
    "config/puma.rb" => <<~RUBY,
      bind "tcp://127.0.0.1:0"
      environment "production"
      workers 2
      threads 4, 4
      preload_app!
      raise_exception_on_sigterm false
    RUBY
    "config/initializers/warm.rb" => <<~RUBY,
      Rails.application.config.after_initialize { Privy.client.request("GET", "/contacts") }
    RUBY
    "config/routes.rb" => 'Rails.application.routes.draw { get "/orders/:id", to: "orders#send_one" }',
    "app/controllers/orders_controller.rb" => <<~RUBY
      class OrdersController < ActionController::API
        CREATED = [Privy.client, Privy.web].map(&:object_id)

        def send_one
          order = Privy.web.orders.upsert(order_id: params[:id], email: "jane@example.com", total: 5, currency: "USD",
                                          order_date: Time.now)
          same = [Privy.client, Privy.web].map(&:object_id) == CREATED
          render json: { process: Process.pid, order: order.order_id.to_s, same: same }
        end
      end
    RUBY
  }.freeze
  PROMPT = 120

  def start(app, server)
    environment = NewApp::ENVIRONMENT.merge("PRIVY_BASE_URL" => server.url, "PRIVY_API_TOKEN" => server.sandbox.token,
                                            "RAILS_ENV" => "production", "RAILS_LOG_TO_STDOUT" => "1")
    output, theirs = IO.pipe
    command = [RbConfig.ruby, "-S", "bundle", "exec", "puma"]
    process = spawn(environment, *command, chdir: app.root, out: theirs, err: theirs)
    theirs.close
    [process, output]
  end

  def listening(output)
    lines = []
    Timeout.timeout(PROMPT) do
      until (port = lines.last.to_s[%r{Listening on http://127\.0\.0\.1:(\d+)}, 1])
        lines << (output.gets or raise(lines.join))
      end
      port
    end
  end

  def ask(port, number)
    Net::HTTP.start("127.0.0.1", port, nil, read_timeout: PROMPT) do |http|
      JSON.parse(http.get("/orders/#{number}").body)
    end
  end

  # Until both workers have responded.
  def responses(port)
    found = []
    until found.length >= 40 && found.map { |response| response["process"] }.uniq.length == 2
      flunk("one worker does all") if found.length > 4000
      numbers = (found.length + 1)..(found.length + 8)
      found += numbers.map { |number| Thread.new { ask(port, number).merge("asked" => number.to_s) } }.map(&:value)
    end
    found
  end

  def test_workers_use_the_client_of_the_master
    app = NewApp.new
    FILES.each { |path, text| app.write(path, text) }
    server = Privy::Sandbox::Server.new(port: 0).start
    process, output = start(app, server)
    port = listening(output)
    reading = Thread.new { output.read }
    found = responses(port)
    found.each { |response| assert_equal [true, response["asked"]], response.values_at("same", "order") }
    assert_equal found.length, server.sandbox.counts.orders
    refute_includes found.map { |response| response["process"] }, process
    stop(process)
    assert_match(/Completed 200 OK in .*Privy: [\d.]+ms/, reading.value)
  ensure
    server&.stop
    Process.kill("KILL", process) if process && @status.nil?
  end

  def stop(process)
    Process.kill("TERM", process)
    @status = Timeout.timeout(PROMPT) { Process.wait2(process).last }
    assert_predicate @status, :success?
  end
end
